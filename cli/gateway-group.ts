/**
 * Whose events a gateway tells, as the bus names them. Every engagement is in one queue group, whose
 * lease one dialer holds at a time (dialer/main.ts).
 */
export const GATEWAY_GROUP = 'all';
