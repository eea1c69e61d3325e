// Reads an OpenAPI document from standard input, and writes the types of the console's API (`src/console/api/schema.d.ts`) to standard output.
import { registerHooks } from 'node:module';
import { json } from 'node:stream/consumers';

const COMPILER_API = new URL('compiler-api.mjs', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'typescript' ? { url: COMPILER_API, shortCircuit: true } : next(specifier, context),
});
const { astToString, COMMENT_HEADER, default: typesOf } = await import('openapi-typescript');

const { paths, ...document } = await json(process.stdin);
const management = Object.fromEntries(Object.entries(paths).filter(([path]) => path.startsWith('/v1/')));
const types = await typesOf({ ...document, paths: management }, { alphabetize: true });
process.stdout.write(`${COMMENT_HEADER}${astToString(types, { formatOptions: { removeComments: true } })}`);
