export function missingPackages(
  folders: readonly string[],
  hasProgram?: (program: string) => boolean,
): string[];

/** What to tell the person when a package could not be installed; null when all is well. */
export function install(packages: readonly string[]): string | null;
