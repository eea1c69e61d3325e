import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Uses of a user by when they became the user's: what has come since sums were made, and what stands in a block of them. Of those that have a
 * resource, which what is added up must have: a question that does not say so cannot take this index for one by time, whose cost PostgreSQL 18
 * overestimates where time and `ix` are both bounded.
 */
export class UsesByArrival1764000008104 implements MigrationInterface {
  readonly name = 'UsesByArrival1764000008104';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX access_usr_bound ON access (tenant, usr, bound_ix) WHERE res IS NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX access_usr_bound');
  }
}
