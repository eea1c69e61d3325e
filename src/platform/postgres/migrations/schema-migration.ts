import { createHash } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export interface SchemaMigration {
  /** Folder whose tables these are. */
  readonly stage: string;
  /** Place in the order of migrations, epoch milliseconds. */
  readonly at: number;
  /** Statements that make the tables. */
  readonly sql: string;
  /** Statements that take them away. */
  readonly undo: string;
}

/**
 * Makes the migration that creates the tables of a stage. Its name holds a digest of the statements, so that a database that another text made is
 * refused, instead of failing later at a column that it lacks.
 */
export function schemaMigration({ stage, at, sql, undo }: SchemaMigration): new () => MigrationInterface {
  return class implements MigrationInterface {
    readonly name = `${stage}_${digestOf(sql)}_${at}`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(sql);
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(undo);
    }
  };
}

/** Comments and spaces may change without a new schema. */
const digestOf = (sql: string): string =>
  createHash('sha256').update(sql.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ')).digest('hex').slice(0, 8);
