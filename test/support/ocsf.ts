import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** OCSF's own schemas, as a package of others makes them (`test/conformance/ocsf`). They allow no member that OCSF does not name. */
const { classes, objects } = JSON.parse(
  readFileSync(new URL('../conformance/ocsf/schemas-1.8.0.json', import.meta.url), 'utf8'),
) as { readonly classes: Readonly<Record<string, object>>; readonly objects: readonly object[] };
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
for (const schema of objects) ajv.addSchema(schema);
const validators = new Map(
  Object.entries(classes).map(([uid, schema]): [number, ValidateFunction] => [Number(uid), ajv.compile(schema)]),
);

/** Lists what OCSF has against an event, as it is sent. */
export function ocsfFaults(event: object): string[] {
  const sent = JSON.parse(JSON.stringify(event)) as { readonly class_uid: number };
  const validate = validators.get(sent.class_uid);
  if (!validate) return [`no schema of class ${sent.class_uid}`];
  if (validate(sent)) return [];
  return validate.errors!.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
