/** The address of ours from which packets to a host leave, and at which it can answer. */
import { createSocket } from 'node:dgram';
import { lookup, resolveSrv } from 'node:dns/promises';
import { CliError } from './cli-error.ts';

/** Asks the routing table by connecting a UDP socket: nothing is sent. */
export async function addressTowards(host: string, port: number): Promise<string> {
  const { address, family } = await lookup(host).catch(async () => {
    // A domain may have servers and no address of its own (RFC 3263 §4.2).
    for (const service of ['_sip._udp', '_sip._tcp', '_sips._tcp']) {
      const [server] = await resolveSrv(`${service}.${host}`).catch(() => []);
      if (server !== undefined) return lookup(server.name);
    }
    throw new CliError('UNKNOWN_HOST', `The name ${host} does not resolve.`);
  });
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, resolve);
    });
    return socket.address().address;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError('NO_ROUTE', `There is no way to ${host}: ${reason}.`);
  } finally {
    socket.close();
  }
}
