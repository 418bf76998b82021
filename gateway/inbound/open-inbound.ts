/** Inbound calls as they are configured: to the numbers that our trunks show, and those named beside. */
import type { GatewayConfig } from '../../config/gateway.schema.ts';
import { InboundDesk, type InboundDeskParts } from './inbound-desk.ts';

export function openInbound(
  { inbound, trunks }: GatewayConfig,
  parts: Omit<InboundDeskParts, 'options' | 'numbers' | 'callsMax'>,
): InboundDesk {
  const named = inbound.numbers.split(',').filter((number) => number.trim() !== '');
  const numbers = [...named, ...trunks.map(({ callerId }) => callerId)];
  return new InboundDesk({ options: inbound, callsMax: inbound.callsMax, numbers, ...parts });
}
