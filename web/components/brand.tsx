export function Brand() {
  return (
    <span class="brand">
      <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect width="32" height="32" rx="9" />
        <path d="M9 12.5h14M9 19.5h14" />
        <circle cx="12" cy="12.5" r="3.4" />
        <circle cx="20" cy="19.5" r="3.4" />
      </svg>
      Switchboard
    </span>
  );
}
