export { WebSchema } from './migrations/1796000011000-schema.js';
export { WEB_ENTITIES, WebModule } from './web.module.js';
export { createWeb, type Web } from './web.js';
