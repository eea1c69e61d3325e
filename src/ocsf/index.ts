export { OCSF_VERSION, type OcsfEvent } from './event.js';
export { findingToOcsf, type FindingChange, type ShownFinding } from './finding.js';
export { toOcsf } from './to-ocsf.js';
export { createOcsfReader, type OcsfPage, type OcsfReader, type OcsfReaderOptions } from './read.pg.js';
