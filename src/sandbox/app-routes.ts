import type { ApiRoute } from './resource-app/index.js';

interface Contact {
  readonly id: string;
  readonly name: string;
  readonly company: string;
}

const NAMED_CONTACTS = ['Ada Lovelace', 'Grace Hopper', 'Radia Perlman'];
/** So many that exporting all of them stands out. */
const CONTACTS = 6_000;
/** Contacts on the page that a read answers. */
const PAGE = 3;

/** Routes of the customer database. Reading, adding and exporting contacts need different scopes. */
export function crmRoutes(): readonly ApiRoute[] {
  const contacts: Contact[] = Array.from({ length: CONTACTS }, (_, position) => ({
    id: String(position + 1),
    name: NAMED_CONTACTS[position] ?? `Contact ${position + 1}`,
    company: 'Example AG',
  }));
  return [
    {
      method: 'GET',
      template: '/contacts',
      scope: 'crm.read',
      operation: 'read',
      serve: () => ({
        status: 200,
        body: { contacts: contacts.slice(0, PAGE), total: contacts.length },
        records: PAGE,
      }),
    },
    {
      method: 'POST',
      template: '/contacts',
      scope: 'crm.write',
      operation: 'write',
      serve: () => {
        const contact = { id: String(contacts.length + 1), name: 'New contact', company: 'Example AG' };
        contacts.push(contact);
        return { status: 201, body: contact, records: 1 };
      },
    },
    {
      method: 'GET',
      template: '/export',
      scope: 'crm.export',
      operation: 'export',
      serve: () => ({ status: 200, body: { contacts, complete: true }, records: contacts.length }),
    },
  ];
}

/** Routes of the file store. */
export function filesRoutes(): readonly ApiRoute[] {
  const documents = new Map([
    ['plan', { id: 'plan', title: 'Plan for the year' }],
    ['minutes', { id: 'minutes', title: 'Minutes of the board' }],
  ]);
  return [
    {
      method: 'GET',
      template: '/documents',
      scope: 'files.read',
      operation: 'read',
      serve: () => ({ status: 200, body: { documents: [...documents.values()] }, records: documents.size }),
    },
    {
      method: 'GET',
      template: '/documents/{id}',
      scope: 'files.read',
      operation: 'read',
      serve: (id) => {
        const document = documents.get(id ?? '');
        return document === undefined
          ? { status: 404, body: { error: 'not_found' }, records: 0 }
          : { status: 200, body: document, records: 1 };
      },
    },
    {
      method: 'DELETE',
      template: '/documents/{id}',
      scope: 'files.delete',
      operation: 'delete',
      serve: (id) => {
        const deleted = documents.delete(id ?? '');
        return { status: deleted ? 200 : 404, body: { deleted }, records: deleted ? 1 : 0 };
      },
    },
  ];
}
