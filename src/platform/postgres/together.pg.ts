import { Query, type Connection, type PoolClient, type QueryConfig, type QueryResult, type Submittable } from 'pg';

/** Handlers by which the driver's own query takes the server's messages. */
interface Answered {
  readonly name?: string;
  readonly text: string;
  submit(connection: Connection): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleReadyForQuery(connection: Connection): void;
}

/** The driver's record of the statements that it has sent and not yet seen parsed. */
type Noting = Connection & { readonly submittedNamedStatements: Record<string, string | undefined> };

/**
 * Sends statements that do not depend on each other's answers in one round trip. Resolves with their results in order. The statements run
 * one after the other; if one fails, those behind it do not run, and the call rejects with its error. Each statement needs a name or
 * values: the simple protocol synchronises by itself.
 */
export function queryTogether(client: PoolClient, statements: readonly QueryConfig[]): Promise<QueryResult[]> {
  const together = new Together(statements);
  client.query(together);
  return together.results;
}

/** Looks like one query to the driver: it exposes the statement that is being answered, and ends when the server is ready again. */
class Together implements Submittable {
  readonly results: Promise<QueryResult[]>;
  readonly statements: readonly QueryConfig[];
  private readonly parts: readonly Answered[];
  private answering = 0;
  private reject!: (error: Error) => void;

  constructor(statements: readonly QueryConfig[]) {
    this.statements = statements;
    const results: QueryResult[] = [];
    let resolve: (results: QueryResult[]) => void;
    this.results = new Promise((resolved, rejected) => {
      resolve = resolved;
      this.reject = rejected;
    });
    this.parts = statements.map((statement, nth) => {
      if (statement.name === undefined && !statement.values?.length)
        throw new TypeError('a statement without name and values cannot be sent with others');
      const done = (error: Error | undefined, result: QueryResult): void => {
        if (error) return this.reject(error);
        results[nth] = result;
        if (nth === statements.length - 1) resolve(results);
      };
      return new Query(statement, done) as unknown as Answered;
    });
  }

  /** Name of the statement that is being answered, by which the driver remembers what the server has parsed. */
  get name(): string | undefined {
    return this.parts[this.answering]?.name;
  }

  get text(): string {
    return this.parts[this.answering]!.text;
  }

  submit(connection: Connection): Error | null {
    connection.stream.cork();
    try {
      const unended = Object.create(connection, { sync: { value: () => undefined } }) as Connection;
      for (const part of this.parts) part.submit(unended);
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
    return null;
  }

  handleRowDescription(message: unknown): void {
    this.parts[this.answering]!.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.parts[this.answering]!.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: Connection): void {
    this.parts[this.answering]!.handleCommandComplete(message, connection);
    this.answering += 1;
  }

  handleReadyForQuery(connection: Connection): void {
    for (const part of this.parts) part.handleReadyForQuery(connection);
  }

  handleError(error: Error, connection: Connection): void {
    // The server has not parsed the statements behind the one that failed.
    for (const { name } of this.parts.slice(this.answering))
      if (name !== undefined) delete (connection as Noting).submittedNamedStatements[name];
    this.reject(error);
  }
}
