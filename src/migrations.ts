import { ArchiveSchema1796000007000 } from './archive/index.js';
import { ChannelsSchema1796000009000 } from './channels/index.js';
import { ControlSchema1796000000000 } from './control/index.js';
import { TopicsSchema1796000005000 } from './feeds/index.js';
import { FindingsSchema1796000008000 } from './findings/index.js';
import { IngestSchema1796000003000 } from './ingest/index.js';
import { IntrospectionSchema1796000004000 } from './introspection/index.js';
import { LedgerSchema1796000001000 } from './log/index.js';
import { ProjectionsSchema1796000002000 } from './projections/index.js';
import { DirectorySchema1796000006000 } from './settings/index.js';

/** Every migration of every stage, listed by hand: a glob would find nothing in a bundle, and say nothing. The history begins with 0.1.0. */
export const MIGRATIONS = [
  ControlSchema1796000000000,
  LedgerSchema1796000001000,
  ProjectionsSchema1796000002000,
  IngestSchema1796000003000,
  IntrospectionSchema1796000004000,
  TopicsSchema1796000005000,
  DirectorySchema1796000006000,
  ArchiveSchema1796000007000,
  FindingsSchema1796000008000,
  ChannelsSchema1796000009000,
];
