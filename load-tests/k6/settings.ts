import type { SettingsFile } from "./settings-file.ts";

export const settings: SettingsFile = JSON.parse(open(__ENV.SETTINGS ?? ""));
