export interface TestResult {
  readonly file: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
  readonly failures: readonly string[];
}

export interface FileResult {
  readonly file: string;
  readonly tests: readonly TestResult[];
  readonly timeMs: number | null;
}

export function tapCollector(onFile: (result: FileResult) => void): {
  write(text: string): void;
  /** Resolves to the reasons of bail-outs, none in a healthy run. */
  end(): Promise<string[]>;
};
