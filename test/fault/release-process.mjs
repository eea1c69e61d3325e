// Runs the command line as one of two releases: `this`, or `next`, which has one migration more. Such a migration may only add, so this one adds
// to the tables that everything writes and reads.
import { MIGRATIONS } from '../../dist/migrations.js';
import { run } from '../../dist/cli/run.js';

const [release, ...words] = process.argv.slice(2);

class NextRelease1900000000000 {
  async up(runner) {
    for (const table of ['node', 'control_log', 'token', 'ledger_head'])
      await runner.query(`ALTER TABLE ${table} ADD COLUMN next_release text NOT NULL DEFAULT ''`);
    await runner.query('CREATE TABLE next_release (id bigint PRIMARY KEY)');
  }
  async down() {}
}

if (release === 'next') MIGRATIONS.push(NextRelease1900000000000);
process.exitCode = await run(words, {
  env: process.env,
  out: process.stdout,
  err: process.stderr,
  stdin: process.stdin,
});
process.exit();
