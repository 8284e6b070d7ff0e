"""Reports of a finished result: figures, contact sheet, and the sheet of a whole folder."""
