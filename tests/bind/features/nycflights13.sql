SELECT * FROM (SELECT COUNT(*) FROM flights) AS t(a, b)
SELECT * FROM (SELECT origin, COUNT(*) FROM flights GROUP BY origin) AS t(a, b, c)
WITH t(a,b,c) AS (SELECT origin, COUNT(*) FROM flights GROUP BY origin) SELECT * FROM t
SELECT (SELECT COUNT(*) FROM flights) AS n
SELECT (SELECT COUNT(*) FROM flights) + 1 AS n, 2
SELECT COUNT(*) FROM flights LIMIT (SELECT COUNT(*) FROM flights)
SELECT COUNT(*) FROM flights LIMIT 10 PERCENT
SELECT origin, COUNT(*) FROM flights GROUP BY origin LIMIT 50%
SELECT origin, COUNT(*) FROM flights GROUP BY origin LIMIT ALL
SELECT origin, COUNT(*) FROM flights GROUP BY origin LIMIT NULL
SELECT origin, COUNT(*) FROM flights GROUP BY origin LIMIT -1
SELECT origin, COUNT(*) FROM flights GROUP BY origin LIMIT 'a'
SELECT origin, COUNT(*) FROM flights GROUP BY origin LIMIT 1+1
SELECT origin, COUNT(*) FROM flights GROUP BY origin FETCH FIRST 2 ROWS ONLY
SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin UNION BY NAME SELECT 1 AS n, 'x' AS origin
SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin UNION ALL BY NAME SELECT 1 AS m
SELECT origin FROM flights UNION SELECT dest FROM flights
SELECT COUNT(*) FROM (SELECT origin FROM flights UNION ALL SELECT dest FROM flights)
SELECT COUNT(*) FROM flights UNION SELECT 1, 2
SELECT COUNT(*) FROM flights f, (SELECT DATE '0001-01-01' AS d FROM airports) p
SELECT COUNT(*) FROM flights f, (SELECT DATE '-0001-01-01' AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT DATE '-0044-01-01' AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT CAST('infinity' AS DATE) AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT CAST('infinity' AS TIMESTAMP) AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT CAST('294000-01-01' AS TIMESTAMP) AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT CAST(99999999999999999999 AS HUGEINT) AS d FROM airports LIMIT 1) p
SELECT SUM(p.d) FROM flights f, (SELECT CAST(99999999999999999999 AS HUGEINT) AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT CAST(99999999999999999999 AS DECIMAL(38,10)) AS d FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT 1 AS x FROM airports WHERE FALSE) p
SELECT SUM(p.x) FROM flights f, (SELECT CAST(NULL AS INTEGER) AS x FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT INTERVAL 1 DAY AS x FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT lat/0 AS x FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT CAST('x' AS INTEGER) AS x FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights f, (SELECT faa, faa FROM airports LIMIT 1) p
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT INTERVAL 1 DAY FROM airports GROUP BY 1)
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT faa, name FROM airports GROUP BY faa, name)
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT faa FROM airports GROUP BY faa)
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT faa FROM airports ORDER BY faa LIMIT 10)
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT origin FROM flights GROUP BY origin)
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT * FROM airports)
SELECT COUNT(*) FROM flights WHERE origin IN (SELECT a.faa, a.name FROM airports a)
SELECT COUNT(*) FROM flights WHERE origin IN (FROM airports)
SELECT COUNT(*) FROM flights WHERE (origin, dest) IN (SELECT faa, name FROM airports)
SELECT COUNT(*) FROM flights WHERE (origin, dest) IN (('EWR','LAX'))
SELECT COUNT(*) FROM flights WHERE (origin, dest) = ('EWR','LAX')
SELECT COUNT(*) FROM flights WHERE ROW(origin) = ROW('EWR')
SELECT COUNT(*) FROM flights WHERE origin IN ()
SELECT COUNT(*) FROM flights WHERE origin IN ['a','b']
SELECT COUNT(*) FROM flights WHERE origin IN airports
SELECT COUNT(*) FROM flights WHERE origin = ANY(['a'])
SELECT COUNT(*) FROM flights WHERE origin = ANY(SELECT faa FROM airports)
SELECT COUNT(*) FROM flights WHERE origin = ALL(SELECT faa FROM airports)
SELECT COUNT(*) FROM flights WHERE origin NOT IN (SELECT faa FROM airports)
SELECT COUNT(*) FROM flights WHERE NOT EXISTS (SELECT 1 FROM airports WHERE faa = dest)
SELECT COUNT(*) FROM flights WHERE NOT EXISTS (SELECT 1)
SELECT COUNT(*) FROM flights WHERE EXISTS (FROM airports)
SELECT COUNT(*) FROM flights WHERE EXISTS (VALUES (1))
SELECT COUNT(*) FROM flights WHERE EXISTS (SELECT 1 FROM airports LIMIT 0)
SELECT COUNT(*) FROM flights WHERE EXISTS (SELECT 1 FROM airports UNION SELECT 2)
SELECT COUNT(*) FROM flights WHERE EXISTS (SELECT COUNT(*) FROM airports)
SELECT COUNT(*) FROM flights WHERE EXISTS (WITH a AS (SELECT 1) SELECT * FROM a)
SELECT COUNT(*) FROM flights WHERE dep_delay > (SELECT AVG(dep_delay) FROM flights)
SELECT COUNT(*) FROM flights f WHERE dep_delay > (SELECT AVG(dep_delay) FROM flights g WHERE f.tailnum = g.tailnum)
SELECT date_trunc('month', time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('hour', time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('minute', time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('decade', time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc(origin, time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('month', origin) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('month', NULL) AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('month', '2013-01-01') AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_trunc('month', DATE '2013-01-05') AS m, COUNT(*) FROM flights GROUP BY m
SELECT date_part('dow', time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT date_part(['dow','month'], time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT date_part(origin, time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(epoch FROM time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(microsecond FROM time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(week FROM time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(isoyear FROM time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(second FROM time_hour) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(hour FROM month) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(month FROM NULL) AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(month FROM '2013-02-30') AS d, COUNT(*) FROM flights GROUP BY d
SELECT EXTRACT(month FROM INTERVAL 1 DAY) AS d, COUNT(*) FROM flights GROUP BY d
SELECT hour(time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT hour(time_hour, 1), COUNT(*) FROM flights GROUP BY 1
SELECT hour(), COUNT(*) FROM flights GROUP BY 1
SELECT dayname(time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT monthname(time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT last_day(time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT strftime(time_hour, '%Y'), COUNT(*) FROM flights GROUP BY 1
SELECT strptime('2013', '%Y'), COUNT(*) FROM flights GROUP BY 1
SELECT make_date(2013, month, day), COUNT(*) FROM flights GROUP BY 1
SELECT epoch_ms(time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT time_bucket(INTERVAL 1 DAY, time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT time_hour AT TIME ZONE 'UTC', COUNT(*) FROM flights GROUP BY 1
SELECT CAST(time_hour AS DATE), COUNT(*) FROM flights GROUP BY 1
SELECT CAST(time_hour AS TIME), COUNT(*) FROM flights GROUP BY 1
SELECT time_hour::DATE, COUNT(*) FROM flights GROUP BY 1
SELECT time_hour::TIMESTAMPTZ, COUNT(*) FROM flights GROUP BY 1
SELECT time_hour::VARCHAR, COUNT(*) FROM flights GROUP BY 1
SELECT SUM(date_diff('day', time_hour, DATE '2014-01-01')) FROM flights
SELECT SUM(date_diff('day', time_hour, '2014-01-01')) FROM flights
SELECT SUM(date_diff('day', time_hour, 'bad')) FROM flights
SELECT SUM(date_diff('day', time_hour, NULL)) FROM flights
SELECT SUM(date_diff('fortnight', time_hour, time_hour)) FROM flights
SELECT SUM(date_diff(time_hour, time_hour)) FROM flights
SELECT SUM(datediff('day', time_hour, time_hour)) FROM flights
SELECT SUM(date_sub('day', time_hour, time_hour)) FROM flights
SELECT SUM(age(time_hour)) FROM flights
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL 1 DAY > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL '1' DAY > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL '1 day' > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL '1 day 2 hours' > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL 1.5 DAY > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL (month) DAY > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL 'x' DAY > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL 1 MILLENNIUM > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL 999999 YEAR > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL 99999999999999999999 YEAR > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour + INTERVAL '1' YEAR TO MONTH > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE time_hour - INTERVAL 3000 YEAR > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE INTERVAL 1 DAY - time_hour > TIMESTAMP '2013-03-01'
SELECT COUNT(*) FROM flights WHERE INTERVAL 1 DAY + INTERVAL 1 DAY > INTERVAL 1 DAY
SELECT COUNT(*) FROM flights WHERE INTERVAL 1 DAY * 2 > INTERVAL 1 DAY
SELECT COUNT(*) FROM flights WHERE time_hour - time_hour > INTERVAL 1 DAY
SELECT COUNT(*) FROM flights WHERE time_hour + 1 > time_hour
SELECT COUNT(*) FROM flights WHERE time_hour > 5
SELECT COUNT(*) FROM flights WHERE time_hour > '2013'
SELECT COUNT(*) FROM flights WHERE time_hour > '2013-01-01'
SELECT COUNT(*) FROM flights WHERE time_hour > '2013-13-01'
SELECT COUNT(*) FROM flights WHERE time_hour > '2013-01-01 25:00:00'
SELECT COUNT(*) FROM flights WHERE time_hour > DATE '0000-01-01'
SELECT COUNT(*) FROM flights WHERE time_hour > DATE '10000-01-01'
SELECT COUNT(*) FROM flights WHERE time_hour > DATE 'infinity'
SELECT COUNT(*) FROM flights WHERE time_hour > TIMESTAMP '2013-01-01T00:00:00Z'
SELECT COUNT(*) FROM flights WHERE time_hour > DATE '2013-W01'
SELECT COUNT(*) FROM flights WHERE time_hour > TIMESTAMPTZ '2013-01-01 00:00:00+01'
SELECT COUNT(*) FROM flights WHERE time_hour > TIME '10:00:00'
SELECT COUNT(*) FROM flights WHERE DATE '2013-01-01' + 5 > DATE '2013-01-01'
SELECT COUNT(*) FROM flights WHERE DATE '2013-01-01' + 99999999999 > DATE '2013-01-01'
SELECT COUNT(*) FROM flights WHERE DATE '2013-01-01' + 900000 > DATE '2013-01-01'
SELECT DATE '2013-01-01' + month * 80000 AS k, COUNT(*) FROM flights GROUP BY k
SELECT DATE '2013-01-01' - month * 80000 AS k, COUNT(*) FROM flights GROUP BY k
SELECT EXTRACT(year FROM DATE '2013-01-01' - month * 80000) AS k, COUNT(*) FROM flights GROUP BY k
SELECT EXTRACT(year FROM DATE '2013-01-01' + month * 80000) AS k, COUNT(*) FROM flights GROUP BY k
SELECT date_trunc('year', DATE '2013-01-01' + month * 80000) AS k, COUNT(*) FROM flights GROUP BY k
SELECT COUNT(*) FROM flights WHERE DATE '2013-01-01' + month * 80000 > DATE '2000-01-01'
SELECT COUNT(*) FROM flights WHERE (DATE '2013-01-01' + month * 80000)::TIMESTAMP > DATE '2000-01-01'
SELECT SUM(date_diff('month', DATE '2013-01-01' + month * 80000, DATE '2013-01-01' - month * 80000)) FROM flights
SELECT SUM((DATE '2013-01-01' + month * 80000) - (DATE '2013-01-01' - month)) FROM flights
SELECT date_trunc('day', TIMESTAMP '0001-01-01 00:00:00') AS k, COUNT(*) FROM flights GROUP BY k
SELECT date_trunc('week', TIMESTAMP '0001-01-01 00:00:00') AS k, COUNT(*) FROM flights GROUP BY k
SELECT COUNT(*) FROM flights WHERE DATE '0001-01-01' - INTERVAL 1 DAY > time_hour
SELECT COUNT(*) FROM flights WHERE DATE '9999-12-31' + INTERVAL 1 DAY > time_hour
SELECT date_trunc('year', DATE '9999-12-31') AS k, COUNT(*) FROM flights GROUP BY k
SELECT date_trunc('day', TIMESTAMP '9999-12-31 23:59:59') AS k, COUNT(*) FROM flights GROUP BY k
SELECT CAST(date_trunc('day', time_hour) AS DATE) AS k, COUNT(*) FROM flights GROUP BY k
SELECT CAST('2013-01-01' AS DATE) AS k, COUNT(*) FROM flights GROUP BY k
SELECT CAST('2013-01-99' AS DATE) AS k, COUNT(*) FROM flights GROUP BY k
SELECT CAST(origin AS DATE) AS k, COUNT(*) FROM flights GROUP BY k
SELECT TRY_CAST(origin AS DATE) AS k, COUNT(*) FROM flights GROUP BY k
SELECT CAST(origin AS TIMESTAMP) AS k, COUNT(*) FROM flights GROUP BY k
SELECT date_trunc('month', CAST(origin AS DATE)) AS k, COUNT(*) FROM flights GROUP BY k
SELECT CAST(dep_delay AS DECIMAL(10,2)) AS k, COUNT(*) FROM flights GROUP BY k
SELECT SUM(CAST(dep_delay AS DECIMAL(10.5,2))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL('a'))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(a))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(0))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(-5, 2))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(5, -2))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(2, 5))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(38, 38))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(39, 2))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL(1,2,3))) FROM flights
SELECT SUM(CAST(dep_delay AS DECIMAL)) FROM flights
SELECT SUM(CAST(dep_delay AS NUMERIC(3))) FROM flights
SELECT SUM(CAST(dep_delay AS INT[])) FROM flights
SELECT SUM(CAST(dep_delay AS STRUCT(a INT))) FROM flights
SELECT SUM(CAST(dep_delay AS UINTEGER)) FROM flights
SELECT SUM(CAST(dep_delay AS UTINYINT)) FROM flights
SELECT SUM(CAST(dep_delay AS TINYINT)) FROM flights
SELECT SUM(CAST(dep_delay AS FLOAT)) FROM flights
SELECT SUM(CAST(dep_delay AS REAL)) FROM flights
SELECT SUM(CAST(dep_delay AS BOOLEAN)) FROM flights
SELECT SUM(CAST(dep_delay AS foo)) FROM flights
SELECT SUM(CAST(dep_delay AS BLOB)) FROM flights
SELECT SUM(CAST(dep_delay AS INTERVAL)) FROM flights
SELECT SUM(CAST(dep_delay AS ENUM('a'))) FROM flights
SELECT SUM(CAST(origin AS INTEGER)) FROM flights
SELECT SUM(CAST('5' AS INTEGER)) FROM flights
SELECT SUM(CAST('5.5' AS INTEGER)) FROM flights
SELECT SUM(CAST('abc' AS INTEGER)) FROM flights
SELECT SUM(CAST('5' AS DECIMAL(10,2))) FROM flights
SELECT SUM(CAST(NULL AS INTEGER)) FROM flights
SELECT SUM(CAST(TRUE AS INTEGER)) FROM flights
SELECT SUM(CAST(origin = 'EWR' AS INTEGER)) FROM flights
SELECT SUM(CAST(origin = 'EWR' AS DOUBLE)) FROM flights
SELECT SUM(CAST(1e30 AS INTEGER)) FROM flights
SELECT SUM(CAST(dep_delay * 1e30 AS INTEGER)) FROM flights
SELECT SUM(CAST(dep_delay / 7 AS INTEGER)) FROM flights
SELECT SUM(dep_delay::INT) FROM flights
SELECT SUM(ROUND(dep_delay, 2)), SUM(ROUND(dep_delay / 7, 2)), SUM(ROUND(dep_delay, -1)) FROM flights
SELECT SUM(ROUND(dep_delay, month)) FROM flights
SELECT SUM(ROUND(dep_delay, 1.5)) FROM flights
SELECT SUM(ROUND(dep_delay, 100)) FROM flights
SELECT SUM(ROUND(dep_delay, NULL)) FROM flights
SELECT SUM(ROUND(dep_delay, 'a')) FROM flights
SELECT SUM(FLOOR(dep_delay, 2)) FROM flights
SELECT SUM(FLOOR(dep_delay / 7)), SUM(CEIL(dep_delay / 7)), SUM(CEILING(dep_delay)) FROM flights
SELECT SUM(TRUNC(dep_delay)) FROM flights
SELECT SUM(SIGN(dep_delay)) FROM flights
SELECT SUM(ABS(dep_delay)), SUM(-dep_delay), SUM(+dep_delay), SUM(- - dep_delay) FROM flights
SELECT SUM(dep_delay // 7), SUM(dep_delay % 7), SUM(7 // dep_delay), SUM(7 % dep_delay) FROM flights
SELECT SUM(dep_delay / 7), SUM(7 / dep_delay) FROM flights
SELECT SUM(7 / NULLIF(distance, 0)) FROM flights
SELECT SUM(LEAST(dep_delay, 5)), SUM(GREATEST(dep_delay, NULL)), SUM(LEAST(NULL, NULL)) FROM flights
SELECT SUM(LEAST(dep_delay)) FROM flights
SELECT SUM(LEAST()) FROM flights
SELECT SUM(COALESCE(dep_delay, 0)), SUM(COALESCE(dep_delay)), SUM(IFNULL(dep_delay, 0)), SUM(NVL(dep_delay,0)) FROM flights
SELECT SUM(COALESCE()) FROM flights
SELECT SUM(COALESCE(dep_delay, 'a')) FROM flights
SELECT SUM(CASE origin WHEN 'EWR' THEN 1 WHEN 'JFK' THEN 2.5 ELSE NULL END) FROM flights
SELECT SUM(CASE WHEN origin THEN 1 END) FROM flights
SELECT SUM(CASE WHEN TRUE THEN 1 ELSE 'a' END) FROM flights
SELECT SUM(CASE WHEN TRUE THEN NULL END) FROM flights
SELECT SUM(CASE tailnum WHEN 'a' THEN 1 END) FROM flights
SELECT SUM(IF(origin = 'EWR', 1, 0)), SUM(IIF(origin = 'EWR', 1, 0)) FROM flights
SELECT SUM(IF(origin = 'EWR', 1)) FROM flights
SELECT SUM(CASE END) FROM flights
SELECT NULLIF(origin, 'EWR') AS o, COUNT(*) FROM flights GROUP BY o
SELECT NULLIF(origin) AS o, COUNT(*) FROM flights GROUP BY o
SELECT UPPER(origin), LOWER(dest), COUNT(*) FROM flights GROUP BY 1, 2
SELECT SUBSTRING(origin, 1, 1) AS s, COUNT(*) FROM flights GROUP BY s
SELECT SUBSTRING(origin FROM 1 FOR 1) AS s, COUNT(*) FROM flights GROUP BY s
SELECT SUBSTR(origin, month) AS s, COUNT(*) FROM flights GROUP BY s
SELECT SUBSTRING(origin, -9223372036854775808) AS s, COUNT(*) FROM flights GROUP BY s
SELECT SUBSTRING(origin, 4611686018427387904, 4611686018427387904) AS s, COUNT(*) FROM flights GROUP BY s
SELECT LEFT(origin, 2) AS s, COUNT(*) FROM flights GROUP BY s
SELECT LEFT(origin) AS s, COUNT(*) FROM flights GROUP BY s
SELECT RIGHT(origin, NULL) AS s, COUNT(*) FROM flights GROUP BY s
SELECT LENGTH(origin) AS s, COUNT(*) FROM flights GROUP BY s
SELECT LENGTH(dest) AS s, COUNT(*) FROM flights GROUP BY s
SELECT LEN(dest), STRLEN(dest), CHAR_LENGTH(dest), COUNT(*) FROM flights GROUP BY ALL
SELECT TRIM(origin), LTRIM(origin), RTRIM(origin), COUNT(*) FROM flights GROUP BY ALL
SELECT TRIM(BOTH 'x' FROM origin), COUNT(*) FROM flights GROUP BY ALL
SELECT TRIM(LEADING FROM origin), COUNT(*) FROM flights GROUP BY ALL
SELECT origin || '-' || dest, COUNT(*) FROM flights GROUP BY ALL
SELECT origin || 5, COUNT(*) FROM flights GROUP BY ALL
SELECT origin || NULL, COUNT(*) FROM flights GROUP BY ALL
SELECT CONCAT(origin, '-', dest), COUNT(*) FROM flights GROUP BY ALL
SELECT CONCAT(origin, 5, NULL), COUNT(*) FROM flights GROUP BY ALL
SELECT CONCAT(), COUNT(*) FROM flights GROUP BY ALL
SELECT CONCAT_WS('-', origin, dest), COUNT(*) FROM flights GROUP BY ALL
SELECT REPLACE(origin, 'E', 'F'), COUNT(*) FROM flights GROUP BY ALL
SELECT REVERSE(origin), COUNT(*) FROM flights GROUP BY ALL
SELECT ASCII(origin), COUNT(*) FROM flights GROUP BY ALL
SELECT MD5(origin), COUNT(*) FROM flights GROUP BY ALL
SELECT printf('%d', month), COUNT(*) FROM flights GROUP BY ALL
SELECT lpad(origin, 1000000000, 'x'), COUNT(*) FROM flights GROUP BY ALL
SELECT origin::VARCHAR(1), COUNT(*) FROM flights GROUP BY ALL
SELECT origin.x, COUNT(*) FROM flights GROUP BY ALL
SELECT flights.origin, COUNT(*) FROM flights GROUP BY ALL
SELECT main.flights.origin, COUNT(*) FROM flights GROUP BY ALL
SELECT f.origin, COUNT(*) FROM flights GROUP BY ALL
SELECT origin, COUNT(*) FROM flights f GROUP BY flights.origin
SELECT origin FROM flights GROUP BY origin
SELECT origin, dest FROM flights GROUP BY origin
SELECT origin FROM flights GROUP BY origin HAVING COUNT(*) > 5
SELECT origin FROM flights HAVING COUNT(*) > 5
SELECT COUNT(*) FROM flights HAVING COUNT(*) > 5
SELECT 1 FROM flights HAVING COUNT(*) > 5
SELECT 1 FROM flights
SELECT NULL FROM flights
SELECT tailnum, COUNT(*) FROM flights GROUP BY tailnum
SELECT tailnum, COUNT(*) FROM flights GROUP BY 1
SELECT t, COUNT(*) FROM (SELECT tailnum AS t FROM flights) GROUP BY t
SELECT AVG(n) FROM (SELECT tailnum, COUNT(*) AS n FROM flights GROUP BY tailnum)
SELECT n, COUNT(*) FROM (SELECT tailnum, COUNT(*) AS n FROM flights GROUP BY tailnum) GROUP BY n
SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM flights GROUP BY tailnum HAVING COUNT(*) > 3)
SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM flights GROUP BY tailnum LIMIT 10)
SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM flights GROUP BY tailnum ORDER BY n)
SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM flights GROUP BY tailnum QUALIFY ROW_NUMBER() OVER () = 1)
SELECT AVG(n) FROM (SELECT MAX(dep_delay) AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT MAX(time_hour) AS n FROM flights GROUP BY tailnum)
SELECT n, COUNT(*) FROM (SELECT MAX(dest) AS n FROM flights GROUP BY tailnum) GROUP BY n
SELECT n, COUNT(*) FROM (SELECT MIN(time_hour)::DATE AS n FROM flights GROUP BY tailnum) GROUP BY n
SELECT AVG(n) FROM (SELECT COUNT(DISTINCT dest) AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT SUM(dep_delay) AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT AVG(dep_delay) AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT MEDIAN(dep_delay) AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT SUM(dep_delay / 7) AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT *, 1 AS n FROM flights GROUP BY tailnum)
SELECT AVG(n) FROM (SELECT DISTINCT COUNT(*) AS n FROM flights GROUP BY tailnum)
SELECT COUNT(*) FROM (SELECT DISTINCT tailnum, origin FROM flights)
SELECT COUNT(*) FROM (SELECT DISTINCT origin FROM flights)
SELECT COUNT(*) FROM (SELECT * FROM flights LIMIT 10)
SELECT COUNT(*) FROM (SELECT * FROM flights OFFSET 10)
SELECT COUNT(*) FROM (SELECT DISTINCT ON (tailnum) * FROM flights)
SELECT COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY tailnum) AS r FROM flights) WHERE r = 1
SELECT COUNT(*) FROM (SELECT * FROM flights QUALIFY ROW_NUMBER() OVER (PARTITION BY tailnum) = 1)
SELECT COUNT(*) FROM airports a LEFT JOIN flights f ON f.dest = a.faa
SELECT a.faa, COUNT(*) FROM airports a LEFT JOIN flights f ON f.dest = a.faa WHERE f.dest IS NULL GROUP BY a.faa
SELECT * FROM airports a WHERE EXISTS (SELECT 1 FROM flights f WHERE f.dest = a.faa)
SELECT * FROM airports a WHERE a.faa IN (SELECT dest FROM flights)
SELECT * FROM airports a WHERE a.faa NOT IN (SELECT dest FROM flights)
SELECT COUNT(*) FROM airports a WHERE NOT EXISTS (SELECT 1 FROM flights f WHERE f.dest = a.faa)
SELECT * FROM airports a SEMI JOIN flights f ON f.dest = a.faa
SELECT * FROM airports a ANTI JOIN flights f ON f.dest = a.faa
SELECT COUNT(*) FROM flights f RIGHT JOIN airports a ON f.dest = a.faa
SELECT COUNT(*) FROM flights f FULL JOIN airports a ON f.dest = a.faa
SELECT COUNT(*) FROM flights f NATURAL JOIN airports a
SELECT COUNT(*) FROM flights f JOIN airports a ON TRUE
SELECT COUNT(*) FROM flights f, airports a
SELECT COUNT(*) FROM flights f JOIN airlines a ON TRUE
SELECT COUNT(*) FROM flights f JOIN airlines USING (carrier)
SELECT * FROM flights f JOIN airlines USING (carrier)
SELECT COUNT(*) FROM flights f JOIN planes p ON f.tailnum = p.tailnum
SELECT COUNT(*) FROM flights f JOIN planes USING (tailnum)
SELECT COUNT(*) FROM flights f WHERE tailnum IN (SELECT tailnum FROM planes)
SELECT COUNT(*) FROM flights f WHERE tailnum IN (SELECT tailnum FROM flights WHERE origin = 'EWR')
SELECT COUNT(*) FROM flights f WHERE EXISTS (SELECT 1 FROM flights g WHERE g.tailnum = f.tailnum AND g.origin = 'EWR')
SELECT COUNT(*) FROM flights f WHERE EXISTS (SELECT 1 FROM flights g WHERE g.origin = f.origin)
SELECT COUNT(*) FROM flights f WHERE EXISTS (SELECT 1 FROM airports a LEFT JOIN flights g ON TRUE WHERE g.tailnum = f.tailnum)
SELECT COUNT(*) FROM flights f WHERE EXISTS (SELECT 1 FROM flights g LEFT JOIN airports a ON a.faa = g.dest WHERE g.tailnum = f.tailnum)
SELECT COUNT(*) FROM flights f WHERE NOT EXISTS (SELECT 1 FROM flights g WHERE g.tailnum = f.tailnum AND EXISTS (SELECT 1 FROM flights h WHERE h.tailnum = f.tailnum AND h.dest = g.dest))
SELECT COUNT(*) FROM flights f LEFT JOIN airports a ON f.dest = a.faa AND EXISTS (SELECT 1 FROM flights g WHERE g.tailnum = f.tailnum)
SELECT COUNT(*) FROM airports LEFT JOIN airlines ON TRUE
SELECT COUNT(*) FROM flights f WHERE f.dest = (SELECT MIN(faa) FROM airports)
SELECT COUNT(*) AS n FROM flights WHERE origin = 'EWR' AND origin = 'JFK'
SELECT origin, COUNT(*) FROM flights WHERE origin IN ('ZZZ') GROUP BY origin
SELECT month, COUNT(*) FROM flights WHERE month > 100 GROUP BY month
SELECT month, COUNT(*) FROM flights WHERE month < -100 GROUP BY month
SELECT month, SUM(dep_delay) FROM flights WHERE dep_delay = 99999 GROUP BY month
SELECT SUM(dep_delay) FROM flights WHERE dep_delay > 99999999999999999
SELECT SUM(dep_delay) FROM flights WHERE dep_delay IN (1, 2, NULL)
SELECT SUM(dep_delay) FROM flights WHERE dep_delay IN (NULL)
SELECT SUM(dep_delay) FROM flights WHERE origin IN (NULL)
SELECT SUM(dep_delay) FROM flights WHERE origin IN ('EWR', 5)
SELECT name, COUNT(*) FROM flights JOIN airlines USING (carrier) GROUP BY name
SELECT x.a, COUNT(*) FROM flights f JOIN (SELECT faa AS a FROM airports) AS x(b) ON x.b = f.dest GROUP BY 1
SELECT x.b, COUNT(*) FROM flights f JOIN (SELECT faa AS a FROM airports) AS x(b) ON x.b = f.dest GROUP BY 1
SELECT x.b, COUNT(*) FROM flights f JOIN airports AS x(b) ON x.b = f.dest GROUP BY 1
SELECT COUNT(*) FROM flights AS f(a, b) WHERE b = 2013
SELECT COUNT(*) FROM flights AS f(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v)
SELECT 0x10, COUNT(*) FROM flights
SELECT 1_000, COUNT(*) FROM flights
SELECT SUM(dep_delay * 0x10) FROM flights
SELECT SUM(dep_delay * 1_0) FROM flights
SELECT SUM(dep_delay * .5), SUM(dep_delay * 5.) FROM flights
SELECT SUM(dep_delay * 1e), SUM(dep_delay * 5.) FROM flights
SELECT e'a\n', COUNT(*) FROM flights GROUP BY 1
SELECT $$a$$, COUNT(*) FROM flights GROUP BY 1
SELECT x'ff', COUNT(*) FROM flights GROUP BY 1
SELECT b'01', COUNT(*) FROM flights GROUP BY 1
SELECT N'a', COUNT(*) FROM flights GROUP BY 1
SELECT U&'a', COUNT(*) FROM flights GROUP BY 1
SELECT "origin", COUNT(*) FROM flights GROUP BY 1
SELECT 'origin', COUNT(*) FROM flights GROUP BY 1
SELECT origin AS "a""b", COUNT(*) AS "c'd" FROM flights GROUP BY 1
SELECT origin AS "", COUNT(*) FROM flights GROUP BY 1
SELECT origin AS a, COUNT(*) AS a FROM flights GROUP BY 1
SELECT a FROM (SELECT origin AS a, COUNT(*) AS a FROM flights GROUP BY 1)
SELECT * FROM (SELECT origin AS a, COUNT(*) AS a FROM flights GROUP BY 1)
SELECT *, 1 FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT t.*, t.n * 2 AS m FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT _row FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT t._row, m0 FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT origin AS _row, COUNT(*) AS n FROM flights GROUP BY 1
SELECT * FROM (SELECT origin AS _row, COUNT(*) AS n FROM flights GROUP BY 1)
SELECT * FROM (SELECT origin AS k0, COUNT(*) AS m0 FROM flights GROUP BY 1) t
SELECT k0 FROM (SELECT COUNT(*) AS k0, origin AS m0 FROM flights GROUP BY origin) t
SELECT SUM(n) FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT AVG(n), MEDIAN(n), STDDEV(n), quantile_cont(n, 0.5), MIN(n), MAX(n) FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT list(n) FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT a, n, SUM(n) OVER (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT a, n, LAG(n, 1) IGNORE NULLS OVER (ORDER BY a) FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t
SELECT t.a, t.n, u.n FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t JOIN (SELECT dest AS a, COUNT(*) AS n FROM flights GROUP BY 1) u USING (a)
SELECT * FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t NATURAL JOIN (SELECT dest AS a, COUNT(*) AS m FROM flights GROUP BY 1) u
SELECT * FROM (SELECT origin AS a, COUNT(*) AS n FROM flights GROUP BY 1) t FULL JOIN airports ON a = faa
SELECT COUNT(*) FROM flights JOIN (SELECT dest AS d, COUNT(*) AS n FROM flights GROUP BY 1) u ON u.d = flights.dest
SELECT * FROM airports ORDER BY lat LIMIT 5
SELECT COUNT(*), AVG(lat) FROM airports GROUP BY tz HAVING COUNT(*) > 3
SELECT * EXCLUDE (lat) FROM airports
SELECT * REPLACE (1 AS lat) FROM airports
SELECT a.* FROM airports a, airlines b, planes c, flights
SELECT faa, faa FROM airports UNION ALL SELECT carrier, name FROM airlines ORDER BY 1 LIMIT 3
SELECT faa FROM airports EXCEPT SELECT dest FROM flights
SELECT faa FROM airports INTERSECT ALL SELECT 'a'
(SELECT faa FROM airports) UNION (SELECT 'a') ORDER BY faa
(SELECT COUNT(*) FROM flights)
((SELECT COUNT(*) FROM flights))
(SELECT tailnum, COUNT(*) FROM flights GROUP BY tailnum)
SELECT * FROM (SELECT tailnum, COUNT(*) FROM flights GROUP BY tailnum)
SELECT * FROM (SELECT origin FROM flights)
WITH a AS (SELECT tailnum, COUNT(*) AS n FROM flights GROUP BY tailnum) SELECT * FROM a
SELECT replace(origin, 'J', 'x') AS o, COUNT(*) FROM flights GROUP BY 1
SELECT regexp_extract(origin, '^(.)', 1) AS o, COUNT(*) FROM flights GROUP BY origin
SELECT regexp_extract(origin, '(a', 0) AS o, COUNT(*) FROM flights GROUP BY origin
SELECT origin, sqrt(COUNT(*)), log2(COUNT(*)), round(cbrt(COUNT(*)), 2) FROM flights GROUP BY origin
SELECT faa, replace(replace(name, 'a', 'bb'), 'b', 'cc') FROM airports
SELECT lpad(faa, 5, ''), rpad(faa, 1001, 'x'), lpad(faa, alt, ' ') FROM airports
SELECT COUNT(*) FROM flights WHERE regexp_matches(dest, '(a+)+b') AND dest ~ '^[A-M]'
SELECT COUNT(*) FROM flights WHERE dest SIMILAR TO '[AB].*' OR NOT dest SIMILAR TO 'X'
SELECT COUNT(*) FROM flights WHERE regexp_matches(dest, origin)
SELECT COUNT(*) FROM flights WHERE regexp_matches(dest, 'a', 'q')
SELECT COUNT(*) FROM flights WHERE dest ~ '\pL'
SELECT SUM(replace(replace(replace(dest,'a','bbbbbbbbbb'),'b','cccccccccc'),'c','dddddddddd') = 'x') FROM flights
SELECT width_bucket(dep_delay, 0, 100, 10) AS b, COUNT(*) FROM flights GROUP BY b ORDER BY b
SELECT width_bucket(dep_delay, 100, 0, 10) AS b, COUNT(*) FROM flights GROUP BY b
SELECT width_bucket(dep_delay, 0, month, 10) AS b, COUNT(*) FROM flights GROUP BY b
SELECT floor(distance / 100) * 100 AS band, COUNT(*) FROM flights GROUP BY band
SELECT SUM(ln(distance)), AVG(sqrt(air_time)), SUM(pow(arr_delay, 2)), AVG(sin(hour)) FROM flights
SELECT SUM(dep_delay << 3), SUM(month << 3), SUM(month >> 1), SUM(month >> 99), SUM(month << day) FROM flights
SELECT md5(dest), COUNT(*) FROM flights GROUP BY 1
SELECT initcap(dest) FROM flights
SELECT upper(left(origin, 1)) || lower(substring(origin, 2)) AS o, COUNT(*) FROM flights GROUP BY 1
SELECT trim(both 'J' from origin), COUNT(*) FROM flights GROUP BY 1
SELECT chr(65), chr(-1), COUNT(*) FROM flights
SELECT COUNT(*) FROM flights WHERE ascii(dest) > 70 AND chr(65) = left(dest, 1)
SELECT greatest(sign(dep_delay), 0) AS late, COUNT(*) FROM flights GROUP BY late
SELECT gcd(month, 6), COUNT(*) FROM flights GROUP BY 1
SELECT COUNT(*) FROM flights WHERE isnan(distance) OR isfinite(distance)
SELECT log(distance, 2, 3) FROM flights
SELECT DAYNAME(time_hour) AS weekday, COUNT(*) FROM flights GROUP BY weekday
SELECT time_bucket(INTERVAL '6 hours', time_hour) AS block, COUNT(*) AS n FROM flights WHERE time_hour < TIMESTAMP '2013-02-01' GROUP BY block ORDER BY block
SELECT strftime(time_hour, '%Y-%m') AS m, COUNT(*) FROM flights GROUP BY m
SELECT strftime(time_hour, '%Y-%m-%d') AS m, COUNT(*) FROM flights GROUP BY m
SELECT strftime('%A', time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT last_day(time_hour) AS m, COUNT(*) FROM flights GROUP BY m
SELECT monthname(time_hour) AS m, year(time_hour), COUNT(*) FROM flights GROUP BY ALL
SELECT make_date(year, month, 1) AS m, COUNT(*) FROM flights GROUP BY 1
SELECT yearweek(time_hour) AS w, COUNT(*) FROM flights GROUP BY 1
SELECT EXTRACT(epoch FROM time_hour) AS w, COUNT(*) FROM flights GROUP BY 1
SELECT AVG(epoch(time_hour)), AVG(date_diff('minute', TIMESTAMP '2013-01-01', time_hour)) FROM flights
SELECT EXTRACT(month FROM age(time_hour, TIMESTAMP '2000-01-01')) FROM flights
SELECT EXTRACT(year FROM age(time_hour, TIMESTAMP '2000-01-01')) AS y, COUNT(*) FROM flights GROUP BY y
SELECT time_bucket(INTERVAL '1 month 1 day', time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT time_bucket(INTERVAL '0 days', time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT date_trunc('decade', time_hour), COUNT(*) FROM flights GROUP BY 1
SELECT strftime(time_hour, '%Q'), COUNT(*) FROM flights GROUP BY 1
SELECT strptime(carrier, '%Y'), COUNT(*) FROM flights GROUP BY 1
SELECT COUNT(*) FROM flights WHERE time_hour AT TIME ZONE 'UTC' > TIMESTAMP '2013-01-01'
SELECT VARIANCE(dep_delay), STDDEV(dep_delay) FROM flights
SELECT origin, CORR(dep_delay, arr_delay) FROM flights GROUP BY origin
SELECT REGR_SLOPE(arr_delay, dep_delay) FILTER (WHERE month = 1) FROM flights
SELECT REGR_R2(arr_delay, *) FROM flights
SELECT CORR(*) FROM flights
SELECT CORR(origin, dest) FROM flights
SELECT VARIANCE(*) FROM flights
SELECT VARIANCE() FROM flights
SELECT STDDEV(DISTINCT distance) FROM flights
SELECT STDDEV(tailnum) FROM flights
SELECT CORR(tailnum, distance) FROM flights
SELECT REGR_COUNT(tailnum, distance) FROM flights
SELECT REGR_COUNT(dest, distance) FROM flights
SELECT SKEWNESS(distance * distance * distance) FROM flights
SELECT KURTOSIS(distance * 1e180) FROM flights
SELECT STDDEV(NULL) FROM flights
SELECT CORR(NULL, distance) FROM flights
SELECT VARIANCE(distance) OVER () FROM flights
SELECT STDDEV(AVG(distance)) FROM flights
SELECT STDDEV(n) FROM (SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin)
SELECT REGR_SLOPE(n, m) FROM (SELECT month AS m, COUNT(*) AS n FROM flights GROUP BY month)
SELECT MEAN(n), FSUM(n), SEM(n) FROM (SELECT month AS m, COUNT(*) AS n FROM flights GROUP BY month)
SELECT MEAN(distance), FAVG(distance), FSUM(distance), KAHAN_SUM(distance) FROM flights
SELECT MEAN(DISTINCT distance) FROM flights
SELECT FSUM(distance, air_time) FROM flights
SELECT FSUM() FROM flights
SELECT SEM(distance) FILTER (WHERE month > 3) FROM flights
SELECT KURTOSIS_POP(distance) OVER (PARTITION BY origin) FROM flights
SELECT PRODUCT(distance) FROM flights
SELECT BOOL_AND(distance > 3), BOOL_OR(distance > 3) FROM flights
SELECT MAD(distance), ENTROPY(distance), GEOMETRIC_MEAN(distance) FROM flights
SELECT tailnum, STDDEV(distance) FROM flights GROUP BY tailnum
SELECT AVG(s) FROM (SELECT tailnum, STDDEV(distance) AS s FROM flights GROUP BY tailnum)
SELECT AVG(s) FROM (SELECT tailnum, MEAN(distance) AS s FROM flights GROUP BY tailnum)
SELECT STDDEV(time_hour) FROM flights
SELECT STDDEV(distance > 3) FROM flights
SELECT STDDEV(CASE WHEN distance > 300 THEN 1 ELSE 0 END) FROM flights
SELECT month, STDDEV(dep_delay) / AVG(dep_delay) FROM flights GROUP BY month HAVING CORR(month, dep_delay) > 0
SELECT * FROM generate_series(1, 3)
SELECT d FROM generate_series(1, 3) AS d
SELECT t.d, t.d + 1 AS e FROM range(3) AS t(d) ORDER BY 1 DESC
SELECT d FROM generate_series(DATE '2013-01-01', DATE '2013-03-01', INTERVAL 1 MONTH) AS t(d)
SELECT d.d, COUNT(*) AS n FROM generate_series(TIMESTAMP '2013-01-01', TIMESTAMP '2013-12-01', INTERVAL 1 MONTH) AS d JOIN flights f ON date_trunc('month', f.time_hour) = d.d GROUP BY d.d
SELECT h.hour, COUNT(*) AS n FROM flights f JOIN range(0, 6) AS h(hour) ON f.hour = h.hour GROUP BY h.hour
SELECT g.kind, COUNT(*) AS n FROM flights f JOIN (VALUES ('UA', 'large'), ('DL', 'large'), ('WN', 'low')) AS g(carrier, kind) ON g.carrier = f.carrier GROUP BY g.kind
SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(x, y)
SELECT col0 FROM (VALUES (1), (-2), (3))
SELECT * FROM (VALUES (1, 2), (3)) AS t(x, y)
SELECT * FROM (VALUES (random()))
SELECT * FROM generate_series(1, 5001)
SELECT * FROM generate_series(1, 10, 0)
SELECT * FROM generate_series(DATE '2013-01-01', DATE '2099-01-01', INTERVAL 1 MINUTE)
SELECT * FROM generate_series(1, (SELECT COUNT(*) FROM flights))
SELECT unnest(generate_series(1, 3)) AS d
SELECT unnest(range(5)) AS d, COUNT(*) FROM flights
WITH s AS (SELECT UNNEST(generate_series(TIMESTAMP '2013-03-02', TIMESTAMP '2013-03-02 23:00:00', INTERVAL 1 HOUR)) AS hour) SELECT s.hour, COUNT(*) AS n FROM s JOIN flights f ON f.time_hour = s.hour GROUP BY s.hour
SELECT * FROM unnest([1, 2, 3]) AS t(x)
SELECT x FROM unnest([1, 2, 3]) AS t(x), flights
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT SUM(n) AS s FROM r
WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r WHERE n < 12) SELECT r.n, COUNT(*) AS c FROM flights f JOIN r ON r.n = f.month GROUP BY r.n
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r JOIN flights f ON f.month = r.n) SELECT * FROM r
WITH RECURSIVE r(n) AS (SELECT COUNT(*) FROM flights UNION ALL SELECT n - 1 FROM r WHERE n > 0) SELECT * FROM r
WITH RECURSIVE r AS (SELECT origin FROM flights UNION ALL SELECT origin FROM r) SELECT COUNT(*) FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r WHERE r.n < 3), s AS (SELECT n * 2 AS m FROM r) SELECT * FROM s
WITH RECURSIVE s AS (SELECT carrier FROM airlines) SELECT COUNT(*) AS n FROM s
WITH r AS (SELECT * FROM r) SELECT * FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL (WITH RECURSIVE q(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM q WHERE m < 3) SELECT n + m FROM r, q WHERE n < 5)) SELECT COUNT(*) AS n FROM r
VALUES (1, 2)
SELECT x FROM generate_series(1, 3) AS t(x, y)
SELECT MEDIAN(dep_delay) FROM flights
SELECT origin, MEDIAN(dep_delay) AS m, COUNT(*) FROM flights GROUP BY origin HAVING MEDIAN(dep_delay) > 0 ORDER BY MEDIAN(dep_delay) DESC
SELECT origin, MEDIAN(dep_delay) FROM flights GROUP BY origin QUALIFY RANK() OVER (ORDER BY MEDIAN(dep_delay)) = 1
SELECT QUANTILE_CONT(dep_delay, 0.5 ORDER BY dep_delay) FROM flights
SELECT QUANTILE_CONT(dep_delay, [0.1, 0.5, 0.9]) FROM flights
SELECT QUANTILE_CONT(dep_delay, []) FROM flights
SELECT QUANTILE_CONT(dep_delay, [[0.5]]) FROM flights
SELECT QUANTILE_CONT(dep_delay, -0.25) FROM flights
SELECT QUANTILE_CONT(dep_delay, - -0.25) FROM flights
SELECT QUANTILE_CONT(dep_delay, 0.0000001) FROM flights
SELECT QUANTILE_CONT(dep_delay, 1e-3) FROM flights
SELECT QUANTILE_CONT(dep_delay, '0.5') FROM flights
SELECT QUANTILE_CONT(dep_delay) FROM flights
SELECT QUANTILE_DISC(dep_delay, 0), QUANTILE_DISC(dep_delay, 1), QUANTILE_DISC(dep_delay, -0.0) FROM flights
SELECT QUANTILE(dep_delay, 0.5), APPROX_QUANTILE(dep_delay, 0.5) FROM flights
SELECT PERCENTILE_DISC(0.3) WITHIN GROUP (ORDER BY dep_delay DESC) FROM flights
SELECT PERCENTILE_DISC(0.3) WITHIN GROUP (ORDER BY dep_delay NULLS FIRST) FROM flights
SELECT PERCENTILE_DISC(0.3) WITHIN GROUP (ORDER BY dep_delay) FILTER (WHERE month > 3) FROM flights
SELECT PERCENTILE_CONT([0.1, 0.9]) WITHIN GROUP (ORDER BY dep_delay) FROM flights
SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY dep_delay) OVER () FROM flights
SELECT MEDIAN(dep_delay) OVER () FROM flights
SELECT MODE() WITHIN GROUP (ORDER BY origin) FROM flights
SELECT MODE() WITHIN GROUP (ORDER BY origin DESC) FROM flights
SELECT MODE(origin) WITHIN GROUP (ORDER BY origin) FROM flights
SELECT MODE(origin), MODE(month), MODE(dest), MODE(month > 3) FROM flights
SELECT MODE(dep_delay), MODE(time_hour) FROM flights
SELECT MODE(tailnum) FROM flights
SELECT MEDIAN(tailnum) FROM flights
SELECT MEDIAN(origin) FROM flights
SELECT MEDIAN(month > 3) FROM flights
SELECT MIN(origin), MAX(origin) FROM flights
SELECT MIN(dep_delay), MAX(dep_delay), MAX(dep_delay) - MIN(dep_delay) FROM flights
SELECT MAX(dep_delay, 3) FROM flights
SELECT MIN(DISTINCT dep_delay) FROM flights
SELECT MIN(time_hour), MAX(CAST(time_hour AS DATE)) FROM flights
SELECT MAX(n) FROM (SELECT origin, COUNT(*) AS n FROM flights GROUP BY origin)
SELECT ARG_MAX(origin, dep_delay) FROM flights
SELECT FIRST(origin), LAST(origin) FROM flights
SELECT ANY_VALUE(origin) FROM flights
SELECT HISTOGRAM(month) FROM flights
SELECT HISTOGRAM(dep_delay, [0, 60, 120]) FROM flights
SELECT HISTOGRAM_VALUES(dep_delay) FROM flights
SELECT MAD(dep_delay) FROM flights
SELECT LIST(dep_delay) FROM flights
SELECT FLOOR(dep_delay / 60) * 60 AS bin, COUNT(*) FROM flights GROUP BY bin
SELECT dep_delay // 60 AS bin, COUNT(*) FROM flights GROUP BY bin
SELECT WIDTH_BUCKET(dep_delay, 0, 100, 10) AS bin, COUNT(*) FROM flights GROUP BY bin
SELECT CASE WHEN dep_delay < 0 THEN 'early' WHEN dep_delay < 60 THEN 'late' ELSE 'very late' END AS band, COUNT(*) FROM flights GROUP BY band
SELECT MEDIAN(a) FROM (SELECT tailnum, AVG(dep_delay) AS a FROM flights GROUP BY tailnum)
SELECT q[1] FROM (SELECT QUANTILE_CONT(dep_delay, [0.1, 0.9]) AS q FROM flights)
SELECT UNNEST(QUANTILE_CONT(dep_delay, [0.1, 0.9])) FROM flights
SELECT a.m, b.m FROM (SELECT MEDIAN(dep_delay) AS m FROM flights) a, (SELECT MEDIAN(dep_delay) AS m FROM flights) b
SELECT dest, MEDIAN(dep_delay) FROM flights GROUP BY dest
SELECT UPPER(tailnum || 'x') AS t, MEDIAN(dep_delay) FROM flights GROUP BY t
SELECT COUNT(DISTINCT dest), COUNT(DISTINCT (origin, dest)) FROM flights
SELECT origin, APPROX_COUNT_DISTINCT(dest) FROM flights GROUP BY origin
SELECT SUM(DISTINCT distance), AVG(DISTINCT distance) FILTER (WHERE month = 1) FROM flights
SELECT COUNT(DISTINCT (tailnum, dest)) FROM flights
SELECT COUNT(DISTINCT ()) FROM flights
SELECT COUNT(DISTINCT (dest)) FROM flights
SELECT COUNT(DISTINCT CASE WHEN month = 1 THEN tailnum END) FROM flights
SELECT COUNT(DISTINCT CASE month WHEN 1 THEN tailnum END) FROM flights
SELECT COUNT(DISTINCT CASE WHEN month = 1 THEN tailnum ELSE 'x' END) FROM flights
SELECT COUNT(DISTINCT tailnum || dest) FROM flights
SELECT COUNT(DISTINCT NULL), COUNT(DISTINCT 1), SUM(DISTINCT 2) FROM flights
SELECT COUNT(DISTINCT dest ORDER BY month) FROM flights
SELECT APPROX_COUNT_DISTINCT(tailnum) FROM flights
SELECT APPROX_COUNT_DISTINCT(*) FROM flights
SELECT dest, COUNT(DISTINCT carrier) FROM flights GROUP BY ROLLUP (dest)
SELECT COUNT(DISTINCT time_hour), COUNT(DISTINCT distance / 3) FROM flights
SELECT COUNT(*) FROM (SELECT DISTINCT origin, dest FROM flights) AS routes
WITH routes AS (SELECT DISTINCT origin, dest FROM flights) SELECT origin, COUNT(*) FROM routes GROUP BY origin HAVING COUNT(*) > 10
SELECT MEDIAN(month) FROM (SELECT DISTINCT origin, month FROM flights)
SELECT AVG(m) FROM (SELECT tailnum, MEDIAN(distance) AS m FROM flights GROUP BY tailnum)
SELECT AVG(m) FROM (SELECT tailnum, QUANTILE_DISC(distance, -0.5) AS m FROM flights GROUP BY tailnum)
SELECT AVG(m) FROM (SELECT tailnum, QUANTILE_DISC(distance, 1e-3) AS m FROM flights GROUP BY tailnum)
SELECT m, COUNT(*) FROM (SELECT tailnum, MODE(origin) AS m FROM flights GROUP BY tailnum) GROUP BY m
SELECT AVG(m) FROM (SELECT tailnum, STDDEV(dep_delay) AS m FROM flights GROUP BY tailnum)
SELECT AVG(m) FROM (SELECT tailnum, STDDEV(dep_delay, month) AS m FROM flights GROUP BY tailnum)
SELECT HISTOGRAM(time_hour, [DATE '2013-03-01', TIMESTAMP '2013-06-01 10:00', '2013-09-01']) FROM flights
SELECT HISTOGRAM(CAST(time_hour AS DATE), [DATE '2013-03-01', '2013-06-01']) FROM flights
SELECT HISTOGRAM(CAST(time_hour AS DATE), [TIMESTAMP '2013-03-01 10:00']) FROM flights
SELECT HISTOGRAM(time_hour, ['soon']) FROM flights
SELECT HISTOGRAM(tailnum) FROM flights
SELECT HISTOGRAM(tailnum, ['N4']) FROM flights
SELECT HISTOGRAM(carrier) FROM flights
SELECT origin, HISTOGRAM(dep_delay, [0, 15, 60]), MEDIAN(dep_delay), COUNT(*) FROM flights GROUP BY origin
SELECT AVG(h[0]) FROM (SELECT origin, HISTOGRAM(dep_delay, [0, 15, 60]) AS h FROM flights GROUP BY origin)
SELECT origin, MEDIAN(distance) FROM flights GROUP BY ROLLUP (origin)
SELECT origin, dest, QUANTILE_CONT(dep_delay, [0.1, 0.5]), MODE(carrier) FROM flights GROUP BY CUBE (origin, dest)
SELECT origin, MIN(distance), MAX(distance), COUNT(*) FROM flights GROUP BY GROUPING SETS ((origin), ())
SELECT origin, flight, MEDIAN(distance) FROM flights GROUP BY ROLLUP (origin, flight)
SELECT origin, MEDIAN(distance) FILTER (WHERE month > 6) FROM flights GROUP BY ROLLUP (origin) HAVING GROUPING(origin) = 0 ORDER BY GROUPING(origin), 2
SELECT origin, GROUPING_ID(origin, month), GROUPING(month) + 1, COUNT(*) FROM flights GROUP BY CUBE (origin, month) ORDER BY GROUPING_ID(origin, month) DESC
SELECT origin, GROUPING_ID(), COUNT(*) FROM flights GROUP BY ROLLUP (origin)
SELECT origin, VARIANCE(distance), CORR(distance, air_time), AVG(DISTINCT month) FROM flights GROUP BY ROLLUP (origin)
SELECT origin, REGR_SLOPE(distance, air_time) FILTER (WHERE month > 6), SKEWNESS(distance) FROM flights GROUP BY CUBE (origin) HAVING COUNT(*) > 10
SELECT origin, HISTOGRAM(dep_delay, [0, 15, 60]), COUNT(*) FROM flights GROUP BY ROLLUP (origin)
SELECT origin FROM flights GROUP BY origin ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 1
SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 3
SELECT carrier, UPPER(carrier) AS u FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 3
SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC NULLS FIRST LIMIT 3
SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 0
SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 10 %
SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT (1 + 1)
SELECT COUNT(*) FROM flights WHERE carrier IN (SELECT carrier FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 3)
SELECT a.carrier FROM airlines a LEFT JOIN flights f ON f.carrier = a.carrier GROUP BY a.carrier ORDER BY COUNT(f.tailnum) DESC LIMIT 2
SELECT carrier FROM flights GROUP BY ROLLUP (carrier) ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 2
SELECT carrier AS c, (SELECT COUNT(*) FROM airlines) AS n FROM flights GROUP BY carrier ORDER BY COUNT(DISTINCT tailnum) DESC LIMIT 2
