#!/bin/sh
# hook.sh SOCKET chassis|lan get|set NAME [VALUE]…: what ipmi_sim runs to switch the machine and to be told of it. The lab listens on the
# socket: it takes a line and answers; an answer that begins with "error" is none.
socket=$1
shift
answer=$(echo "$*" | socat -t 30 - "UNIX-CONNECT:$socket") || exit 1
echo "$answer"
case $answer in error*) exit 1 ;; esac
