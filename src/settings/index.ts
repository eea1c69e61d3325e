export { CSV_MEDIA_TYPE } from './directory/import-file.js';
export { FindingChanges } from './finding-changes/finding-changes.service.js';
export { type StoredChange } from './finding-changes/stored-change.entity.js';
export { DetectionChanges } from './detection-changes/detection-changes.service.js';
export { type StoredDetectionChange } from './detection-changes/stored-detection-change.entity.js';
export { DirectorySchema } from './migrations/1796000006000-schema.js';
export { SETTING_ENTITIES, SettingsModule, type SettingsParts } from './settings.module.js';
