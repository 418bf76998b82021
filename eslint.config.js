import tseslint from 'typescript-eslint';

/**
 * The map of docs/architecture.md as lint: a folder may import only what the map says.
 * `allowed` names top-level folders; everything else at the top level is refused.
 */
const FOLDERS = [
  'bench',
  'cli',
  'config',
  'console',
  'dialer',
  'gateway',
  'journey-core',
  'lab',
  'machines',
  'simulator',
  'softswitch',
  'telephony-bus',
  'test',
];

const MAY_IMPORT = {
  config: [],
  machines: [],
  'journey-core': ['machines', 'config'],
  dialer: ['machines', 'journey-core', 'config'],
  gateway: ['machines', 'config'],
  softswitch: [],
  simulator: ['machines', 'dialer', 'config'],
  lab: ['softswitch'],
  // Carries the contract between processes: neither side of it knows the other, or this.
  'telephony-bus': ['machines', 'config'],
};

const PACKAGE_HOMES = [
  { name: '^drachtio-', home: ['gateway'], message: 'drachtio is spoken in gateway/ alone.' },
  {
    name: '^redis$',
    home: ['telephony-bus'],
    message: 'redis is spoken in telephony-bus/ and adapters/redis/ alone.',
  },
  { name: '^fastify', home: [], message: 'fastify is spoken in http/ alone.' },
];

/** Import restrictions of one folder: the map's directions, and the packages with one home. */
function importsOf(folder, { redis = false, fastify = false } = {}) {
  const allowed = new Set([...MAY_IMPORT[folder], folder]);
  const refused = FOLDERS.filter((name) => !allowed.has(name));
  return [
    {
      regex: `^(?:\\.\\./)+(?:${refused.join('|')})/`,
      message: `${folder}/ may import only ${[...allowed].join(', ')} (docs/architecture.md).`,
    },
    ...PACKAGE_HOMES.filter(
      ({ name, home }) =>
        !home.includes(folder) &&
        !(redis && name.includes('redis')) &&
        !(fastify && name.includes('fastify')),
    ).map(({ name, message }) => ({ regex: name, message })),
  ];
}

/** In both lists: a later block replaces an earlier one's list, it does not add to it. */
const PROCESS_ENV = {
  object: 'process',
  property: 'env',
  message: 'Only config/ reads the environment.',
};

const PURE = ['machines/**/*.ts', 'journey-core/**/*.ts', 'dialer/pacing/**/*.ts'];
const PURE_PATTERNS = [
  {
    regex: '^node:(?!assert/strict$)',
    message: 'Pure code: no I/O. node:assert/strict is the exception.',
  },
];

const folderBlocks = Object.keys(MAY_IMPORT).map((folder) => ({
  files: [`${folder}/**/*.ts`],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          ...importsOf(folder),
          ...(folder === 'machines' || folder === 'journey-core' ? PURE_PATTERNS : []),
        ],
      },
    ],
  },
}));

/** Whatever makes a dial: the command, and the machines that send it, by any way of importing them. */
const DIALING_MACHINE = '/\\u002f(?:call-attempt|contact-chain)\\.machine\\.[jt]s$/';
const DIALS = [
  "Literal[value='attempt.dial']",
  "TemplateElement[value.raw='attempt.dial']",
  'ImportSpecifier[imported.name=/^(?:callAttemptMachine|contactChainMachine)$/]',
  `ImportDeclaration[source.value=${DIALING_MACHINE}] > ImportNamespaceSpecifier`,
  `ImportExpression[source.value=${DIALING_MACHINE}]`,
  `ExportNamedDeclaration[source.value=${DIALING_MACHINE}]`,
  `ExportAllDeclaration[source.value=${DIALING_MACHINE}]`,
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', '.tap/**', '**/*.mjs', 'eslint.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafePromises: [
            { from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' },
          ],
        },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  ...folderBlocks,
  {
    files: ['dialer/**/http/**/*.ts', 'dialer/http/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: importsOf('dialer', { fastify: true }) },
      ],
    },
  },
  {
    files: ['dialer/adapters/redis/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: importsOf('dialer', { redis: true }) },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    ignores: ['config/**', 'test/**', 'bench/**'],
    rules: { 'no-restricted-properties': ['error', PROCESS_ENV] },
  },
  {
    files: PURE,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch'].map(
          (name) => ({ name, message: 'Pure code: take it as an argument (docs/style).' }),
        ),
      ],
      'no-restricted-properties': [
        'error',
        PROCESS_ENV,
        { object: 'Date', property: 'now', message: 'Time is injected.' },
        { object: 'Math', property: 'random', message: 'Randomness is injected.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time is injected.',
        },
      ],
      // eslint --fix would strip XState's `types: {} as Types`, and the machine its types.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
    },
  },
  {
    // An INVITE leaves only for what claim-starts.ts has put on disk, number guard and all.
    files: ['dialer/**/*.ts'],
    ignores: ['dialer/actors/start-attempt.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...DIALS.map((selector) => ({
          selector,
          message: 'Dials are made in dialer/actors/start-attempt.ts alone, from a claimed start.',
        })),
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time is injected.',
        },
      ],
    },
  },
  {
    // One person's one call, held to real-calls.ts; everything else goes through the dialer.
    files: ['cli/**/*.ts', 'lab/**/*.ts'],
    ignores: ['cli/call.command.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...DIALS.map((selector) => ({
          selector,
          message:
            'Commands dial through the dialer; cli/call.command.ts alone makes a call itself.',
        })),
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      // A subtest is async so that it ends by itself; many have nothing to await.
      '@typescript-eslint/require-await': 'off',
    },
  },
);
