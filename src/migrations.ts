import { Confirmations1764000008031, ConfirmedByTenant1764000008121, ControlCopy1764000004500, ControlLog1764000000000 } from './control/index.js';
import { TopicFeeds1764000004600 } from './feeds/index.js';
import { Ingest1764000003000 } from './ingest/index.js';
import { Ledger1764000001000, LedgerPartitions1764000005000 } from './log/index.js';
import {
  EntityNames1764000008042,
  FillUseAggregates1764000008010,
  GrantAggregates1764000008020,
  NewsIndexes1764000008102,
  ProjectionGate1764000008060,
  Projections1764000002000,
  RareUses1764000008095,
  ReachIndexes1764000008080,
  RuleHistory1764000008030,
  RuleSelectors1764000008120,
  SessionTokens1764000008097,
  RunningCounts1764000008070,
  SourceCounts1764000008040,
  SourceRoutes1764000006000,
  SourceSequence1764000004800,
  UseAggregates1764000008000,
  UsesByArrival1764000008104,
  UsesOfAUser1764000008096,
  UsesOfUsers1764000008103,
} from './projections/index.js';
import { Directory1764000008041 } from './query/index.js';

/** Every migration of every stage, listed by hand: a glob would find nothing in a bundle, and say nothing. */
export const MIGRATIONS = [
  ControlLog1764000000000,
  Ledger1764000001000,
  Projections1764000002000,
  Ingest1764000003000,
  ControlCopy1764000004500,
  TopicFeeds1764000004600,
  SourceSequence1764000004800,
  LedgerPartitions1764000005000,
  SourceRoutes1764000006000,
  UseAggregates1764000008000,
  FillUseAggregates1764000008010,
  GrantAggregates1764000008020,
  RuleHistory1764000008030,
  Confirmations1764000008031,
  SourceCounts1764000008040,
  Directory1764000008041,
  EntityNames1764000008042,
  ProjectionGate1764000008060,
  RunningCounts1764000008070,
  ReachIndexes1764000008080,
  RareUses1764000008095,
  UsesOfAUser1764000008096,
  SessionTokens1764000008097,
  NewsIndexes1764000008102,
  UsesOfUsers1764000008103,
  UsesByArrival1764000008104,
  RuleSelectors1764000008120,
  ConfirmedByTenant1764000008121,
];
