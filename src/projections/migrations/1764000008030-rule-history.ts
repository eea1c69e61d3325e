import type { MigrationInterface, QueryRunner } from 'typeorm';
import { loadSql } from '../../platform/postgres/index.js';
import { fillRules } from '../rules/fill.pg.js';

export class RuleHistory1764000008030 implements MigrationInterface {
  readonly name = 'RuleHistory1764000008030';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(loadSql(import.meta.url, 'rule-history.sql'));
    await fillRules(async (sql, values) => (await runner.query(sql, values === undefined ? undefined : [...values])) as never);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX id_jag_parent; DROP TABLE rule_version, rule_event');
  }
}
