import type { MigrationInterface, QueryRunner } from 'typeorm';

/** For whoever copies the log: which commands began with a record. */
export class ControlCopy1764000004500 implements MigrationInterface {
  readonly name = 'ControlCopy1764000004500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX control_command_first_seq ON control_command (first_seq)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX control_command_first_seq');
  }
}
