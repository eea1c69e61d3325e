import { readPublic } from '../client.js';

/** The part of a JSON Schema that the command line reads. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly contentEncoding?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Content {
  readonly schema?: Schema;
  readonly examples?: Readonly<Record<string, { readonly summary?: string }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

export interface Operation {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
  /** Marks an operation that is no GET and changes nothing. */
  readonly 'x-rescind-reads'?: boolean;
}

export const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Method = (typeof METHODS)[number];

/** The part of an OpenAPI document that the command line reads. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** Reads the document of the service itself, so that the two cannot disagree about what can be asked. No key is sent. */
export async function readDocument(url: string, timeoutMs?: number): Promise<ApiDocument> {
  const document = (await readPublic(url, '/openapi.json', timeoutMs)) as unknown as Partial<ApiDocument>;
  if (typeof document.paths !== 'object' || document.paths === null)
    throw new Error(`${url} has no OpenAPI document: is it a Rescind that serves questions?`);
  return document as ApiDocument;
}
