import { join } from 'node:path';
import { TABLE_NAMES, type TableName } from './tables.js';

/** The most entries of a segment. Ranges end at its multiples. */
export const SEGMENT_ENTRIES = 65_536n;
export const DAY_MS = 86_400_000;

/** Version of the layout: the directory under `ARCHIVE_DIR`. */
export const FORMAT_DIRECTORY = 'v1';
export const FORMAT_VERSION = '1';

/** A closed range of one tenant's ledger: `first` up to `end`, exclusive, all of one UTC day of arrival. */
export interface Range {
  readonly tenant: string;
  readonly first: bigint;
  readonly end: bigint;
  /** `2026-11-24` */
  readonly day: string;
}

/** Digits of an index in a file's name: names sort as ranges do, and a directory of ten thousand years of ledger still does. */
const INDEX_DIGITS = 16;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Returns the tenant's directory. Nothing but a uuid names one, so no path can lead out of `root` or into another tenant's. */
export function tenantDirectory(root: string, tenant: string): string {
  if (!UUID.test(tenant)) throw new TypeError('a tenant of the archive is named by its uuid, in lower case');
  return join(root, FORMAT_DIRECTORY, tenant);
}

/** Returns the path of a file below its tenant's directory. */
export function filePath(name: TableName, { first, end, day }: Omit<Range, 'tenant'>): string {
  if (!TABLE_NAMES.includes(name)) throw new TypeError('not a table of the archive');
  if (!DAY.test(day)) throw new TypeError('not a day of the archive');
  if (first < 0n || end <= first) throw new TypeError('not a range of the archive');
  return join(name, `day=${day}`, `${digits(first)}-${digits(end)}.parquet`);
}

/** Reads the first index from a file's name; undefined if the name is not one of the archive's. */
export function firstIndexOf(fileName: string): bigint | undefined {
  const [, first] = /^(\d{16})-\d{16}\.parquet$/.exec(fileName) ?? [];
  return first === undefined ? undefined : BigInt(first);
}

export const dayOf = (arrivalMs: number): string => new Date(arrivalMs).toISOString().slice(0, 10);

const digits = (index: bigint): string => String(index).padStart(INDEX_DIGITS, '0');
