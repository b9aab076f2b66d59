kill -9 $(ps -fe|grep test.sh|grep -v grep|awk '{print $2}')
