/** The detectors of gateway/amd, as a listening room makes them. */
import { AnswerDetector } from '../amd/answer-detector.ts';
import type { Detectors } from './detectors.port.ts';

export const detectors: Detectors = {
  answer: (options) => new AnswerDetector(options),
  earlyMedia: () => ({ feed: () => undefined }),
  digits: () => ({ feed: () => undefined }),
};
