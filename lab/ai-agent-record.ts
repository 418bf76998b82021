/** What the lab's AI agent saw of one call: an independent witness for tests. */

export interface AiAgentRecord {
  readonly callId: string;
  readonly transport: 'udp' | 'tcp';
  /** Which way the context came; null: none did. */
  readonly contextBy: 'inline' | 'url' | null;
  /** What the agent knew of the customer when it began to speak. */
  readonly attributesAtFirstTurn: Readonly<Record<string, string>>;
  /** How much of what it heard was voice. */
  readonly heardVoiceMs: number;
  readonly receivedAudioPackets: number;
  readonly sentAudioPackets: number;
  /** First lines of the NOTIFYs after its REFER, in order. */
  readonly notified: readonly string[];
  /** How its attributes were taken: a SIP or HTTP status; null: it returned none. */
  readonly returnStatus: number | null;
  readonly escalationStatus: number | null;
  /** `caller` hung up or cancelled, `agent` did, `error` otherwise. */
  readonly endedBy: 'caller' | 'agent' | 'error';
}
