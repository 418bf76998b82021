/** The detectors of gateway/amd, as a listening room makes them. */
import { AnswerDetector } from '../amd/answer-detector.ts';
import { EarlyMediaDetector } from '../amd/early-media-detector.ts';
import { InbandDtmf } from '../amd/inband-dtmf.ts';
import type { Detectors } from './detectors.port.ts';

export const detectors: Detectors = {
  answer: (options) => new AnswerDetector(options),
  earlyMedia: () => new EarlyMediaDetector(),
  digits: () => new InbandDtmf(),
};
