export { CSV_MEDIA_TYPE } from './directory/import-file.js';
export { DirectorySchema } from './migrations/1796000006000-schema.js';
export { SETTING_ENTITIES, SettingsModule, type SettingsParts } from './settings.module.js';
