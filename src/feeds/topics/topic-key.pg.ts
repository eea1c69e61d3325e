import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RescindError } from '../../contracts/index.js';
import { writePrivateFile, type Secret } from '../../platform/config/index.js';
import { type Pool } from '../../platform/postgres/index.js';
import { TOPIC_KEY_BYTES } from './control-message.js';

export const TOPIC_KEY_FILE = 'control-topic-key';

/** Finds the key of the control topic: the setting, else the database, else the file in the home directory. */
export interface TopicKeys {
  /** Undefined if this deployment has no key yet. Throws `config-invalid` if the setting differs from the database's key. */
  find(): Promise<Buffer | undefined>;
  /**
   * Makes the key at the first start. Keeps it in the database, for the other nodes, and in the home directory, for a restore. Throws
   * `config-invalid` if the file there holds another key.
   */
  ensure(): Promise<Buffer>;
}

export interface TopicKeysOptions {
  readonly pool: Pool;
  readonly home: string;
  /** base64url of {@link TOPIC_KEY_BYTES} bytes. */
  readonly configured?: Secret | undefined;
}

export function createTopicKeys({ pool, home, configured }: TopicKeysOptions): TopicKeys {
  const path = join(home, TOPIC_KEY_FILE);

  async function find(): Promise<Buffer | undefined> {
    const { rows } = await pool.query<{ key: Buffer }>('SELECT key FROM control_topic_key');
    const stored = rows[0]?.key;
    if (configured === undefined) return stored ?? (await readKeyFile(path));
    const key = Buffer.from(configured.reveal(), 'base64url');
    if (stored && !stored.equals(key))
      throw new RescindError('config-invalid', {
        detail:
          'CONTROL_TOPIC_KEY differs from the key of the database; unset it, or use the database that it belongs to',
      });
    return key;
  }

  return {
    find,
    async ensure() {
      const own = (await find()) ?? randomBytes(TOPIC_KEY_BYTES);
      await pool.query('INSERT INTO control_topic_key (key) VALUES ($1) ON CONFLICT DO NOTHING', [own]);
      // Another node may have been first.
      const key = (await find())!;
      if (
        !(await writePrivateFile(path, `${key.toString('base64url')}\n`)) &&
        !(await readKeyFile(path))!.equals(key)
      ) {
        throw new RescindError('config-invalid', {
          detail: `${path} holds the key of another deployment: use another RESCIND_HOME, or move the file to where keys are kept`,
        });
      }
      return key;
    },
  };
}

async function readKeyFile(path: string): Promise<Buffer | undefined> {
  try {
    const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url');
    if (key.length !== TOPIC_KEY_BYTES)
      throw new RescindError('config-invalid', {
        detail: `${path} does not hold a key of ${TOPIC_KEY_BYTES} bytes in base64url`,
      });
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
