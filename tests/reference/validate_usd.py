"""Writes what Pixar's validators say of a USD file, as JSON: python validate_usd.py FILE

Runs in the references' own environment.
"""

from __future__ import annotations

import json
import sys

from pxr import Usd, UsdValidation

stage = Usd.Stage.Open(sys.argv[1])
validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
found = UsdValidation.ValidationContext(validators).Validate(stage)
says = [f"{each.GetName()}: {each.GetMessage()}" for each in found]
json.dump({"validators": len(validators), "says": says}, sys.stdout)
