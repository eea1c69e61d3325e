import { Type, type Static } from 'typebox';
import { nameSchemas, printable, RescindError } from '../../contracts/index.js';
import { createInputReader } from '../../registry/index.js';

/** Longest name, in UTF-16 units. */
const MAX_NAME = 100;
/** Longest path of a page, in characters. */
const MAX_PAGE = 200;
/** Longest search of a URL, in characters: less than servers and proxies refuse. */
const MAX_SEARCH = 4_000;
/** Begins with one slash, so that it can lead to no other host. */
const PAGE = '^/(?:[A-Za-z0-9_-][A-Za-z0-9._~%-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._~%-]*)*)?$';
/** Printable ASCII without the number sign: a URL's search as a browser writes it. */
const SEARCH = '^[!-"$-~]*$';

export const ViewInput = Type.Object(
  {
    name: Type.String({
      minLength: 1,
      maxLength: MAX_NAME,
      description: 'Different from the names of the owner’s other views. No control or invisible characters.',
    }),
    page: Type.String({
      maxLength: MAX_PAGE,
      pattern: PAGE,
      description: 'Path of the page, below `/console`, such as `/explore`.',
    }),
    search: Type.String({
      maxLength: MAX_SEARCH,
      pattern: SEARCH,
      description: 'Search of its URL, without the question mark.',
    }),
    shared: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Whether everybody of the tenant who may ask questions sees it.',
      }),
    ),
  },
  { additionalProperties: false },
);
nameSchemas({ ViewInput });
export type ViewInput = Static<typeof ViewInput>;

const read = createInputReader(ViewInput, MAX_SEARCH);

/** Reads a view. Throws `invalid-request`. */
export function readView(body: unknown): Required<ViewInput> {
  const { name, page, search, shared = false } = read(body);
  if (name.trim() !== name || printable(name) !== name)
    throw invalid('`name` has no control or invisible characters, and no space at either end');
  return { name, page, search, shared };
}

export const invalid = (detail: string): RescindError => new RescindError('invalid-request', { detail });
