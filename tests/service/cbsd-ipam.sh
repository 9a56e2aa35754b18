#!/bin/sh
# The calls that `cbsd ipam` makes, in its order, with curl and jq:
#   cbsd-ipam.sh mode=create|update|delete|firstfree|firstfreelock [subnet=CIDR] [ip4_addr=IP] [hostname=] [description=] [note=]
# PHPIPAMURL, PHPIPAMAPP, PHPIPAMUSER and PHPIPAMPASS say where and who. Status 0, or 1 when refused or full.
set -eu

mode='' subnet='' ip4_addr='' hostname='' description='' note=''
for argument in "$@"; do
	value=${argument#*=}
	case "$argument" in
	mode=*) mode=$value ;;
	subnet=*) subnet=$value ;;
	ip4_addr=*) ip4_addr=$value ;;
	hostname=*) hostname=$value ;;
	description=*) description=$value ;;
	note=*) note=$value ;;
	esac
done
base="$PHPIPAMURL/api/$PHPIPAMAPP"

# $1 method, $2 path, then what else curl is to be told: prints the answer, fails unless "success" is true
call() {
	method=$1 path=$2
	shift 2
	answer=$(curl -s -m 60 -X "$method" "$@" "$base/$path")
	[ "$(printf '%s' "$answer" | jq -r .success)" = true ] || {
		printf '%s\n' "$answer" | jq -r .message >&2
		return 1
	}
	printf '%s' "$answer"
}

authorized() {
	method=$1 path=$2
	shift 2
	call "$method" "$path" -H "token: $token" -H 'Content-Type: application/json' "$@"
}

body() {
	jq -n --arg hostname "$hostname" --arg description "$description" --arg note "$note" "$@" \
		'{note: $note, hostname: $hostname, description: $description} + $ARGS.named'
}

token=$(call POST user/ -u "$PHPIPAMUSER:$PHPIPAMPASS" | jq -r .data.token)
[ -n "$token" ]
subnet_id=$(authorized GET "subnets/cidr/$subnet/" | jq -r '.data[0].id')
[ -n "$subnet_id" ]

known() {
	authorized GET "addresses/$ip4_addr/$subnet_id/" 2>/dev/null | jq -r .data.id
}

case "$mode" in
firstfree)
	free=$(authorized GET "addresses/first_free/$subnet_id/")
	printf '%s' "$free" | jq -r .data
	;;
firstfreelock)
	free=$(authorized POST "addresses/first_free/$subnet_id/" -d "$(body)")
	printf '%s' "$free" | jq -r .data
	;;
create)
	authorized POST addresses/ -d "$(body --argjson subnetId "$subnet_id" --arg ip "$ip4_addr")" >/dev/null
	;;
update)
	address_id=$(known) || address_id=''
	if [ -z "$address_id" ]; then
		authorized POST addresses/ -d "$(body --argjson subnetId "$subnet_id" --arg ip "$ip4_addr")" >/dev/null
	else
		authorized PATCH "addresses/$address_id/" -d "$(body)" >/dev/null
	fi
	;;
delete)
	address_id=$(known)
	[ -n "$address_id" ]
	authorized DELETE "addresses/$address_id/$subnet_id/" >/dev/null
	;;
*)
	echo "mode=$mode?" >&2
	exit 1
	;;
esac
