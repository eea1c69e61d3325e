export { createErasures, type Erasures, type ErasuresOptions } from './erasures.js';
export { ErasureModule } from './erasure.module.js';
export { advance, type Advanced, type RunOptions } from './run.pg.js';
export { PLACES, type Treatment } from './places.js';
export { ErasureSchema } from './migrations/1796000012000-schema.js';
