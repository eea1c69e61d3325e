export { createExplore, type Explore } from './explore.pg.js';
export type { ExploreOptions } from './runner.pg.js';
export { DIMENSION_NAMES, dimensionOf, MEASURE_NAMES, type DimensionName } from './question/vocabulary.js';
export { ExploreModule } from './explore.module.js';
export { createArchivedUses, type ArchivedUses } from './cold/cold-uses.js';
