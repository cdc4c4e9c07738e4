"""What the runner wants: load-tests/k6/settings-file.ts describes the file."""

import json
import os

with open(os.environ["SETTINGS"], encoding="utf-8") as file:
    settings = json.load(file)

items = {item["itemId"]: item for item in settings["items"]}
