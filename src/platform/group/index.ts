export { joinProcessGroup, type GroupMember } from './group-member.js';
export { startProcessGroup, type ProcessGroup } from './process-group.js';
export type { MetricDump } from './group-messages.js';
