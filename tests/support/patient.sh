# For a test that stands on something that now and then hangs by no fault of ours:
#
#     patient.sh SECONDS COMMAND [ARGUMENT...]
#
# Such as JACK: jack_client_close kills a thread that may just hold a mutex, and the next
# jack_client_open or _close in this process waits for that for ever (jackaudio/jack2, issue 395).
#
# Runs the command. Should it take longer than SECONDS, it is said where its threads wait, it and its
# children are killed, and it is run again, three times in all. A command that fails is not repeated:
# the status is its own; 124 if it hung each time.
#
# POSIX shell, with /proc.

limit_s=$1
shift

# where PID: what each of its threads is doing.
where() {
    for thread in "/proc/$1/task"/*; do
        echo "  thread ${thread##*/} $(cat "$thread/comm" "$thread/wchan" 2>/dev/null | tr '\n' ' ')"
    done
    ps -o pid,ppid,stat,etime,args --ppid "$1" --pid "$1" 2>/dev/null
    command -v gdb >/dev/null && gdb -batch -ex 'thread apply all backtrace 12' -p "$1" 2>/dev/null
}

for attempt in 1 2 3; do
    "$@" &
    pid=$!
    trap 'kill -KILL $pid; exit 1' INT TERM HUP
    tries=0
    while kill -0 $pid 2>/dev/null && [ $tries -lt $((limit_s * 10)) ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    if ! kill -0 $pid 2>/dev/null; then
        wait $pid
        exit
    fi
    echo "attempt $attempt hangs since $limit_s s:"
    where $pid
    # shellcheck disable=SC2046
    kill -KILL $pid $(ps -o pid= --ppid $pid) 2>/dev/null
    wait $pid 2>/dev/null
done
exit 124
