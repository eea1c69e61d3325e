import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The seq that a node confirms, a tenant: `applied` for all but those in `behind` (tenant to seq). Nodes of an earlier release leave both as they are. */
export class ConfirmedByTenant1764000008121 implements MigrationInterface {
  readonly name = 'ConfirmedByTenant1764000008121';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE node ADD COLUMN applied bigint NOT NULL DEFAULT 0, ADD COLUMN behind jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE node DROP COLUMN applied, DROP COLUMN behind');
  }
}
