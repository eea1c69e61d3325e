import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A row for each selector of a rule. A deployment that runs `RuleHistory` only now has the column already. */
export class RuleSelectors1764000008120 implements MigrationInterface {
  readonly name = 'RuleSelectors1764000008120';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rule_version ADD COLUMN IF NOT EXISTS nth smallint NOT NULL DEFAULT 0');
    await runner.query('ALTER TABLE rule_version DROP CONSTRAINT rule_version_pkey, ADD PRIMARY KEY (tenant, rule, nth)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM rule_version WHERE nth > 0');
    await runner.query('ALTER TABLE rule_version DROP CONSTRAINT rule_version_pkey, ADD PRIMARY KEY (tenant, rule), DROP COLUMN nth');
  }
}
