import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Uses of a user by when they became the user's: what has come since sums were made, and what stands in a block of them. */
export class UsesByArrival1764000008104 implements MigrationInterface {
  readonly name = 'UsesByArrival1764000008104';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX access_usr_bound ON access (tenant, usr, bound_ix)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX access_usr_bound');
  }
}
