/** The next hop of a trunk, taken apart once. */

export interface TrunkAddress {
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: 'udp' | 'tcp';
}

const ADDRESS = /^sip:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[^:;?@]+)(?::(\d+))?((?:;[^;?]+)*)$/;

/** Undefined when it is no SIP URI that we can send to. */
export function parseTrunkAddress(address: string): TrunkAddress | undefined {
  const match = ADDRESS.exec(address.trim());
  if (match === null) return undefined;
  const [, host = '', port, params = ''] = match;
  const transport = /;transport=([^;]+)/i.exec(params)?.[1]?.toLowerCase() ?? 'udp';
  if (transport !== 'udp' && transport !== 'tcp') return undefined;
  const portNumber = port === undefined ? undefined : Number(port);
  if (portNumber !== undefined && (portNumber < 1 || portNumber > 65_535)) return undefined;
  return { host, port: portNumber, transport };
}

/** Request-URI towards the trunk; without a user part for OPTIONS to the trunk itself. */
export function uriAt({ host, port, transport }: TrunkAddress, user?: string): string {
  const hostport = port === undefined ? host : `${host}:${port}`;
  const target = user === undefined ? hostport : `${user}@${hostport}`;
  return `sip:${target}${transport === 'udp' ? '' : `;transport=${transport}`}`;
}
