/** Names of the people, applications and agents of the organisation. `organisation.ts` draws what each may do. */

export const FIRST_NAMES: readonly string[] = (
  'ada adil aiko alma amara amir ana anton asha astrid aylin bao beatriz bela carla chen chidi clara dalia dario deniz ' +
  'diego edda elif emeka emil esra eva farid fatou felix femi freya gael gita goran hana hassan helga hugo ibrahim ida ' +
  'imani ines irina ivan jana joao jonas jun kaito karim kemal lara leila leon lin lucia luka maja malik mara marek mei ' +
  'mila nadia nils noor olga omar paulo petra priya rafa rania rosa sami sara selin tariq'
).split(' ');

export const LAST_NAMES: readonly string[] = (
  'abebe adeyemi ahmed almeida andersen aydin bakker becker bergman bianchi bose brandt cardoso castro chandra costa dahl ' +
  'demir diallo dubois ekman farah ferrari fischer fofana garcia gomez haas hansen hassan horvat ibsen ito ivanov jansen ' +
  'jovic kaya keller khan kim kovac kowalski larsen laurent lee lindgren lopez marin mbeki mehta moreau moretti mueller ' +
  'nakamura nguyen novak nowak okafor okoro olsen osei park patel petrov popescu rao reyes rossi sato schmid silva singh ' +
  'sorensen suzuki tanaka torres vogel weber yilmaz zhang'
).split(' ');

/** Resource applications, the busiest first, each with the nouns of its routes. */
export const APPS: readonly (readonly [name: string, ...nouns: string[]])[] = [
  ['crm', 'contacts', 'accounts', 'deals'],
  ['mail', 'messages', 'threads'],
  ['files', 'documents', 'folders'],
  ['calendar', 'events', 'rooms'],
  ['chat', 'channels', 'messages'],
  ['wiki', 'pages', 'spaces'],
  ['tickets', 'tickets', 'queues'],
  ['source', 'repositories', 'changes'],
  ['billing', 'invoices', 'payments'],
  ['datalake', 'tables', 'queries'],
  ['analytics', 'reports', 'metrics'],
  ['support', 'cases', 'customers'],
  ['orders', 'orders', 'returns'],
  ['notes', 'notes'],
  ['builds', 'pipelines', 'artifacts'],
  ['hr', 'employees', 'leaves'],
  ['expenses', 'claims', 'receipts'],
  ['catalogue', 'products', 'media'],
  ['monitoring', 'alerts', 'series'],
  ['contracts', 'contracts', 'clauses'],
  ['travel', 'trips', 'bookings'],
  ['dashboards', 'boards'],
  ['shipping', 'parcels', 'carriers'],
  ['warehouse', 'stocks', 'bins'],
  ['deploys', 'releases', 'targets'],
  ['pricing', 'prices', 'discounts'],
  ['recruiting', 'candidates', 'interviews'],
  ['payroll', 'payslips', 'salaries'],
  ['surveys', 'surveys', 'responses'],
  ['video', 'recordings', 'meetings'],
  ['whiteboard', 'boards'],
  ['legal', 'matters', 'opinions'],
  ['dataroom', 'folders', 'documents'],
  ['vault', 'secrets'],
  ['directory', 'people', 'groups'],
  ['facilities', 'badges', 'desks'],
  ['procurement', 'suppliers', 'requests'],
  ['translations', 'texts'],
  ['learning', 'courses', 'results'],
  ['press', 'releases', 'cuttings'],
];

/** Applications that act for a user who is present, the busiest first. */
export const PLAIN_CLIENTS: readonly string[] = (
  'portal mobile desktop intranet sales-hub service-desk planner reporting bi-studio sync scheduler importer exporter field-app ' +
  'onboarding timesheet partner-portal campaigns finance-close sourcing inventory fleet forms signatures transcripts backup archive ' +
  'audit-tool qa-lab release-board map-view kiosk newsletter survey-kit room-panel'
).split(' ');

/** Agents, the busiest first, each with its type. */
export const AGENTS: readonly (readonly [client: string, type: string])[] = [
  ['assistant', 'assistant'],
  ['coder', 'coding'],
  ['mail-triage', 'assistant'],
  ['meeting-notes', 'assistant'],
  ['support-copilot', 'support'],
  ['reviewer', 'coding'],
  ['ticket-router', 'support'],
  ['researcher', 'research'],
  ['tester', 'coding'],
  ['ops-runbook', 'operations'],
  ['data-cleaner', 'operations'],
  ['incident-scribe', 'operations'],
  ['calendar-keeper', 'assistant'],
  ['sales-coach', 'assistant'],
  ['expense-checker', 'operations'],
  ['recruiter-aid', 'assistant'],
  ['onboarding-guide', 'support'],
  ['translator', 'assistant'],
  ['invoice-reader', 'operations'],
  ['report-writer', 'research'],
  ['doc-search', 'research'],
  ['sql-analyst', 'research'],
  ['contract-reader', 'research'],
  ['market-watch', 'research'],
  ['travel-booker', 'assistant'],
];

/** Parties that appear in incidents only. Nothing else in the history involves them, so the expected answers can be written down. */
export const RESERVED = {
  users:
    'nadia.rossi tariq.lindgren elif.moreau femi.adeyemi goran.novak ines.moreau jonas.keller amara.okafor priya.mehta lucia.ferrari hana.ito omar.farah'.split(
      ' ',
    ),
  clients:
    'invoice-reader report-writer doc-search sql-analyst contract-reader market-watch travel-booker archive kiosk room-panel'.split(
      ' ',
    ),
  apps: ['learning', 'press'],
} as const;
