export { createPreviewReader, type Preview, type PreviewReader } from './preview.pg.js';
export { findReachedTokens, type ReachedToken, type ReachedTokens } from './decide/reached.pg.js';
export { findStart, reachedBy, type AskedStart, type Start, type StartName } from './names/start.pg.js';
export { findBeginning, seedsOf, type Beginning } from './names/members.pg.js';
export { candidatesOfRow, MOST_OF_ROW } from './search/candidates.js';
export { keysOf, readLineages } from './decide/lineages.pg.js';
export { findStoppingAsOf, indexOf } from './decide/stopping.pg.js';
