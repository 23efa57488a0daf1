# Completion of gorgias-replicate for bash, printed by `gorgias-replicate reference bash`.

# Words that go on from what was begun, in a list from what is behind its last comma.
_gorgias_replicate_words() {
    local begun=
    [[ $word != *,* ]] || begun=${word%,*},
    mapfile -t COMPREPLY < <(compgen -P "$begun" -W "$1" -- "${word##*,}")
}

# Names of files, as the options of compgen say.
_gorgias_replicate_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$@" -- "$word")
}

_gorgias_replicate() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 i
    COMPREPLY=()
    # --option=value comes as three words.
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --streams | --mode | --range | --limit | --threads | --max-duration | --max-requests | --source | --target | --env | --format | --schemas | --output | -o | --progress | --metrics-file | --log-level | --log-format)
            i=$((i + 1))
            if [[ ${COMP_WORDS[i]} == = ]]; then i=$((i + 1)); fi
            ;;
        -*) ;;
        *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
        esac
    done
    case $command:$before in
    run:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    run:--mode) _gorgias_replicate_words 'incremental full-refresh truncate snapshot backfill definition-only'; return ;;
    run:--range) :; return ;;
    run:--limit) :; return ;;
    run:--threads) :; return ;;
    run:--max-duration) :; return ;;
    run:--env) :; return ;;
    run:--schemas) _gorgias_replicate_files -d; return ;;
    run:--output | run:-o) _gorgias_replicate_words 'text json'; return ;;
    run:--progress) _gorgias_replicate_words 'auto always never'; return ;;
    run:--metrics-file) _gorgias_replicate_files -f; return ;;
    run:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    run:--log-format) _gorgias_replicate_words 'text json'; return ;;
    discover:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    discover:--format) _gorgias_replicate_words 'table json yaml'; return ;;
    discover:--schemas) _gorgias_replicate_files -d; return ;;
    discover:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    discover:--log-format) _gorgias_replicate_words 'text json'; return ;;
    check:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    check:--env) :; return ;;
    check:--schemas) _gorgias_replicate_files -d; return ;;
    check:--output | check:-o) _gorgias_replicate_words 'text json'; return ;;
    check:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    check:--log-format) _gorgias_replicate_words 'text json'; return ;;
    init:--source) :; return ;;
    init:--target) :; return ;;
    init:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    init:--log-format) _gorgias_replicate_words 'text json'; return ;;
    validate:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    validate:--mode) _gorgias_replicate_words 'incremental full-refresh truncate snapshot backfill definition-only'; return ;;
    validate:--range) :; return ;;
    validate:--limit) :; return ;;
    validate:--threads) :; return ;;
    validate:--env) :; return ;;
    validate:--schemas) _gorgias_replicate_files -d; return ;;
    validate:--output | validate:-o) _gorgias_replicate_words 'text json'; return ;;
    validate:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    validate:--log-format) _gorgias_replicate_words 'text json'; return ;;
    preview:--limit) :; return ;;
    preview:--env) :; return ;;
    preview:--schemas) _gorgias_replicate_files -d; return ;;
    preview:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    preview:--log-format) _gorgias_replicate_words 'text json'; return ;;
    status:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    status:--env) :; return ;;
    status:--schemas) _gorgias_replicate_files -d; return ;;
    status:--output | status:-o) _gorgias_replicate_words 'text json'; return ;;
    status:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    status:--log-format) _gorgias_replicate_words 'text json'; return ;;
    audit:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    audit:--threads) :; return ;;
    audit:--max-duration) :; return ;;
    audit:--max-requests) :; return ;;
    audit:--env) :; return ;;
    audit:--schemas) _gorgias_replicate_files -d; return ;;
    audit:--output | audit:-o) _gorgias_replicate_words 'text json'; return ;;
    audit:--progress) _gorgias_replicate_words 'auto always never'; return ;;
    audit:--metrics-file) _gorgias_replicate_files -f; return ;;
    audit:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    audit:--log-format) _gorgias_replicate_words 'text json'; return ;;
    state:--env) :; return ;;
    state:--schemas) _gorgias_replicate_files -d; return ;;
    state:--output | state:-o) _gorgias_replicate_words 'text json'; return ;;
    state:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    state:--log-format) _gorgias_replicate_words 'text json'; return ;;
    report:--streams) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets'; return ;;
    report:--env) :; return ;;
    report:--schemas) _gorgias_replicate_files -d; return ;;
    report:--output | report:-o) _gorgias_replicate_files -f; return ;;
    report:--log-level) _gorgias_replicate_words 'error warn info debug'; return ;;
    report:--log-format) _gorgias_replicate_words 'text json'; return ;;
    esac
    if [[ $word == -* ]]; then place=-; fi
    case $command/$place in
    /0) _gorgias_replicate_words ' run discover check init validate preview status audit state report' ;;
    /-*) _gorgias_replicate_words ' --discover --help --version' ;;
    run/-*) _gorgias_replicate_words ' --streams --mode --full-refresh --range --limit --threads --max-duration --dry-run --env --schemas --output --progress --metrics-file --log-level --log-format --help --version' ;;
    run/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    discover/-*) _gorgias_replicate_words ' --streams --columns --format --schemas --log-level --log-format --discover --help --version' ;;
    check/-*) _gorgias_replicate_words ' --streams --env --schemas --output --log-level --log-format --help --version' ;;
    check/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    init/-*) _gorgias_replicate_words ' --source --target --log-level --log-format --help --version' ;;
    init/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    validate/-*) _gorgias_replicate_words ' --streams --mode --full-refresh --range --limit --threads --env --schemas --output --log-level --log-format --help --version' ;;
    validate/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    preview/-*) _gorgias_replicate_words ' --limit --env --schemas --log-level --log-format --help --version' ;;
    preview/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    preview/1) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets' ;;
    status/-*) _gorgias_replicate_words ' --streams --env --schemas --output --log-level --log-format --help --version' ;;
    status/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    audit/-*) _gorgias_replicate_words ' --streams --threads --max-duration --max-requests --env --schemas --output --progress --metrics-file --log-level --log-format --help --version' ;;
    audit/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    state/-*) _gorgias_replicate_words ' --env --schemas --output --log-level --log-format --help --version' ;;
    state/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    state/1) _gorgias_replicate_words 'show reset set' ;;
    state/*) _gorgias_replicate_words 'account custom_fields customer_details customers events integrations jobs macros rules satisfaction_surveys tags teams ticket_custom_field_values ticket_messages tickets users views voice_call_events voice_call_recordings voice_calls widgets' ;;
    report/-*) _gorgias_replicate_words ' --streams --env --schemas --output --log-level --log-format --help --version' ;;
    report/0) _gorgias_replicate_files -o plusdirs -f -X '!*.y*ml' ;;
    esac
}
complete -F _gorgias_replicate gorgias-replicate
