// TypeScript 7 has no JavaScript API to print types with. openapi-typescript gets this one in its place (`api-types.mjs`).
export { ts as default } from '@ts-morph/common';
