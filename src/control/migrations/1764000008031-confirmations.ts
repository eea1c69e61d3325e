import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who confirmed a record when, as the process that waited heard it: for reports, and no part of the lease protocol. */
export class Confirmations1764000008031 implements MigrationInterface {
  readonly name = 'Confirmations1764000008031';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE rule_confirmation (
      seq     bigint NOT NULL,
      node    uuid   NOT NULL,
      name    text,
      outcome text   NOT NULL CHECK (outcome IN ('confirmed', 'expired')),
      guards  int    NOT NULL,
      at_ms   bigint NOT NULL,
      PRIMARY KEY (seq, node)
    )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rule_confirmation');
  }
}
