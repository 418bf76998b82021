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
  readonly timeMs: number;
}

/** How the process of a file ended. */
export interface FileEnding {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timeMs: number;
}

export function fileCollector(file: string): {
  write(text: string): void;
  end(ending: FileEnding): Promise<FileResult>;
};
