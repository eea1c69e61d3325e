import type { ClientBase, QueryResult, QueryResultRow } from 'pg';
import { RescindError } from '../../contracts/index.js';

/**
 * Runs one statement whose commit must outlive a crash of the database. If a commit waits for a synchronous standby and the wait is
 * cancelled, the server reports success and only warns that the standby may not have the commit. This function turns the warning
 * into `database-unavailable`; it recognises the warning by its SQLSTATE class, because its text is in the server's language. No
 * timeout of the server ends that wait, so `timeoutMs`, or the session's own, does. The connection must run nothing else meanwhile.
 */
export async function queryDurably<R extends QueryResultRow>(
  client: ClientBase,
  sql: string,
  parameters: unknown[],
  timeoutMs?: number,
): Promise<QueryResult<R>> {
  let warning: string | undefined;
  const listen = (notice: { code?: string | undefined; message?: string | undefined }): void => {
    if (notice.code?.startsWith('01')) warning = notice.message ?? notice.code;
  };
  client.on('notice', listen);
  try {
    const result = await client.query<R>({
      text: sql,
      values: parameters,
      ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs }),
    });
    if (warning !== undefined)
      throw new RescindError('database-unavailable', {
        detail: 'the commit may not have reached the standby',
        cause: new Error(warning),
      });
    return result;
  } finally {
    client.off('notice', listen);
  }
}
