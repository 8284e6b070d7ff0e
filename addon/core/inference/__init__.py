"""Networks: model files, run times, what they read and how it is decoded."""
