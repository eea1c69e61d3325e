import { createRequire } from 'node:module';
import type { Batch } from 'kafkajs';

const require = createRequire(import.meta.url);

/** The release of kafkajs that the files below were read in. package.json pins it. */
export const KAFKAJS_VERSION = '2.2.4';

/**
 * Everything of kafkajs that Rescind replaces, or uses although kafkajs does not offer it: the file below `kafkajs/src`, what for, and the
 * file's SHA-256. A spec fails when a digest changes: read the file again, and the patch, before you write the new digest down.
 */
export const KAFKAJS_INTERNALS = {
  'consumer/batch.js': {
    use: 'topic-reader makes batches with it; group-member reads `fetchedOffset`, which the types leave out',
    sha256: '04ee8657247441599f200af5871ce6b3c4463abe941b97405502f8f5f683face',
  },
  'consumer/filterAbortedMessages.js': {
    use: 'drops aborted transactions by the members that record-sets/record.ts gives a record',
    sha256: '54ce50f2a41ee1686da8b73bf8b502c7dd07c9d7cb0a494cdb36a7fc536ced8e',
  },
  'protocol/decoder.js': {
    use: 'record-sets/fetch-response decodes with it; record-headers replaces `readVarIntArray`',
    sha256: '83c43fac8d6b8ef2dcf0dfe8bc4494e84c2c94d2b59fbe41a670505a5fcba41b',
  },
  'protocol/recordBatch/record/v0/decoder.js': {
    use: 'record-headers relies on `reduce` being how it gathers headers',
    sha256: '86d740054c8be29b02873bf2871eb43ba5004af94324610541dbab2d9fabcc65',
  },
  'protocol/requests/fetch/index.js': {
    use: 'record-sets/fetch-response replaces the decoding of version 11',
    sha256: 'b0961e16fca52023266570255c23e30cd770b3813bb5d75f879fe6b1609ea7c5',
  },
  'protocol/requests/fetch/v11/response.js': {
    use: 'record-sets/fetch-response decodes the same members',
    sha256: '9cb972647500104e7d616edcb4856119f4a716664b64bbb1ee96c8f4f0a83eb6',
  },
  'protocol/message/compression/index.js': {
    use: 'record-sets/codecs replaces the codecs',
    sha256: '666ec6400225fe90e42f6a59d7bbda2028f4150699dda04524689ccf1f0cb2c1',
  },
  'network/requestQueue/index.js': {
    use: 'request-queue replaces `scheduleCheckPendingRequests`',
    sha256: 'b55986089c14f8f7bfc377922e2e65b3e4c1e7c7af2752d3b10a75dfe9e9260c',
  },
  'index.js': {
    use: 'topic-reader makes a cluster object by a private symbol',
    sha256: '38d0022e448f0aaa72ad2ed16fac346a3dd3a2d28b64ca5395cb33a26c8a82e9',
  },
  'cluster/index.js': {
    use: 'topic-reader finds leaders and offsets with it',
    sha256: '3831a6845e4e9fb0de73d5ff50a3695974fb8a927acde677c524fe1c362bd57d',
  },
  'broker/index.js': {
    use: 'topic-reader fetches with it',
    sha256: '9cbea8898528c439c213080f99d86974460114f81b5034c49aeb593a0337ca90',
  },
} as const;

/** Loads a file of kafkajs. */
export const kafkajsInternal = <T>(file: keyof typeof KAFKAJS_INTERNALS): T => require(`kafkajs/src/${file}`) as T;

/** Returns the offset that the fetch asked for. */
export const fetchedOffsetOf = (batch: Batch): bigint =>
  BigInt((batch as Batch & { readonly fetchedOffset: string }).fetchedOffset);
