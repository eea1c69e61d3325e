import { ArchiveSchema } from './archive/index.js';
import { ChannelsSchema } from './channels/index.js';
import { ControlSchema } from './control/index.js';
import { TopicsSchema } from './feeds/index.js';
import { ErasureSchema } from './erasure/index.js';
import { FindingsSchema } from './findings/index.js';
import { IngestSchema } from './ingest/index.js';
import { IntrospectionSchema } from './introspection/index.js';
import { LedgerSchema } from './log/index.js';
import { ProjectionsSchema } from './projections/index.js';
import { RegistrySchema } from './registry/index.js';
import { DirectorySchema } from './settings/index.js';
import { WebSchema } from './web/index.js';

/** Every migration of every stage, listed by hand: a glob would find nothing in a bundle, and say nothing. The history begins with 0.1.0. */
export const MIGRATIONS = [
  ControlSchema,
  LedgerSchema,
  ProjectionsSchema,
  IngestSchema,
  IntrospectionSchema,
  TopicsSchema,
  DirectorySchema,
  ArchiveSchema,
  FindingsSchema,
  ChannelsSchema,
  RegistrySchema,
  WebSchema,
  ErasureSchema,
];
